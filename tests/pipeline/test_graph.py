"""The asset graph is a contract: what Dagster shows is compared with a snapshot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg

from app.domain.gates import DATA_GATES, MODEL_GATES, WEIGHT_GATES
from app.pipeline.definitions import defs

SNAPSHOT = Path(__file__).with_name("asset_graph.json")


def _graph() -> dict[str, Any]:
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    checks = {
        key.to_user_string(): {"blocking": graph.get_check_spec(key).blocking}
        for key in sorted(graph.asset_check_keys, key=lambda key: key.to_user_string())
    }
    assets = {}
    for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.to_user_string()):
        node = graph.get(key)
        partitions = node.partitions_def
        assert isinstance(partitions, dg.DynamicPartitionsDefinition)
        assets[key.to_user_string()] = {
            "after": sorted(parent.to_user_string() for parent in node.parent_keys),
            "partitions": partitions.name,
            "group": node.group_name,
        }
    jobs = {
        job.name: {
            "executor": job.executor_def.name,
            "assets": sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys),
        }
        for job in sorted(repository.get_all_jobs(), key=lambda job: job.name)
        if not job.name.startswith("__")
    }
    proposals = {
        one.name: {
            "job": one.job_name,
            "default_status": one.default_status.value,
            **({"cron": one.cron_schedule} if isinstance(one, dg.ScheduleDefinition) else {}),
        }
        for one in (*repository.schedule_defs, *repository.sensor_defs)
    }
    return {"assets": assets, "checks": checks, "jobs": jobs, "proposals": proposals}


def test_assets_checks_and_jobs_are_those_of_the_snapshot():
    assert _graph() == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_gate_of_the_design_is_a_check():
    graph = defs.resolve_asset_graph()
    names = {key.name for key in graph.asset_check_keys}
    assert names == {*DATA_GATES, *MODEL_GATES, *WEIGHT_GATES}
