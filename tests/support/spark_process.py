"""Run SQL on Spark in local mode; started by `tests.support.spark` in an environment of its own."""

from __future__ import annotations

import json
import sys
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import types as kinds

TYPES = {
    "int64": kinds.LongType(),
    "double": kinds.DoubleType(),
    "string": kinds.StringType(),
    "bool": kinds.BooleanType(),
}


def answer(spark: SparkSession, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        fields = [kinds.StructField(name, TYPES[kind]) for name, kind in asked["columns"]]
        frame = spark.createDataFrame(asked["rows"], kinds.StructType(fields))
        frame.createOrReplaceTempView("batch")
        result = spark.sql(asked["sql"])
        return {"names": result.columns, "rows": [list(row) for row in result.collect()]}
    except Exception as error:  # noqa: BLE001 - whatever Spark says is the answer
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(spark, json.loads(line))) + "\n")
        sys.stdout.flush()
    spark.stop()


if __name__ == "__main__":
    main()
