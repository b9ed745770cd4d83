-- scorecard:    "quotes 'and' \"more\" -- \\ Gr\u00f6\u00dfe"
-- version:      v1
-- content hash: e8f7a97f7ce4bf537171d61128e92e0ba27c55daed9d6b7bdb89e5a88b65fcba
-- made by:      chancellor export v1 --to something
WITH `chancellor_read` AS (
  SELECT
    `t0`.`party_id` AS `key`,
    TRIM(CAST(`t0`.`a 'b'_c` AS STRING), '\u0020\u0009\u000d\u000a\u00a0\ufeff') AS `raw_0`,
    IF(
      IS_NAN(CAST(`t0`.`Größe` AS FLOAT64)),
      CAST(NULL AS FLOAT64),
      CAST(`t0`.`Größe` AS FLOAT64)
    ) AS `raw_1`,
    IF(
      IS_NAN(CAST(`t0`.`late` AS FLOAT64)),
      CAST(NULL AS FLOAT64),
      CAST(`t0`.`late` AS FLOAT64)
    ) AS `raw_2`,
    IF(
      IS_NAN(CAST(`t0`.`age` AS FLOAT64)),
      CAST(NULL AS FLOAT64),
      CAST(`t0`.`age` AS FLOAT64)
    ) AS `raw_3`
  FROM `batch` AS `t0`
), `chancellor_held` AS (
  SELECT
    `chancellor_read`.`key`,
    IF(
      `chancellor_read`.`raw_0` IN ('', 'NaN', 'nan'),
      CAST(NULL AS STRING),
      `chancellor_read`.`raw_0`
    ) AS `x0`,
    IF(
      `chancellor_read`.`raw_1` IS NULL,
      CAST(NULL AS FLOAT64),
      GREATEST(CAST('1.0' AS FLOAT64), LEAST(CAST('9.0' AS FLOAT64), `chancellor_read`.`raw_1`))
    ) AS `x1`,
    `chancellor_read`.`raw_2` AS `x2`,
    IF(
      `chancellor_read`.`raw_3` IS NULL,
      CAST(NULL AS FLOAT64),
      GREATEST(CAST('20.0' AS FLOAT64), LEAST(CAST('60.0' AS FLOAT64), `chancellor_read`.`raw_3`))
    ) AS `x3`,
    0 + IF(
      (
        `chancellor_read`.`raw_1` > CAST('1.7976931348623157e+308' AS FLOAT64)
      )
      OR (
        `chancellor_read`.`raw_1` < -(
          CAST('1.7976931348623157e+308' AS FLOAT64)
        )
      ),
      1,
      0
    ) + IF(
      (
        `chancellor_read`.`raw_2` > CAST('1.7976931348623157e+308' AS FLOAT64)
      )
      OR (
        `chancellor_read`.`raw_2` < -(
          CAST('1.7976931348623157e+308' AS FLOAT64)
        )
      ),
      1,
      0
    ) + IF(
      (
        `chancellor_read`.`raw_3` > CAST('1.7976931348623157e+308' AS FLOAT64)
      )
      OR (
        `chancellor_read`.`raw_3` < -(
          CAST('1.7976931348623157e+308' AS FLOAT64)
        )
      ),
      1,
      0
    ) AS `__refused`
  FROM `chancellor_read`
), `chancellor_goodness` AS (
  SELECT
    `chancellor_held`.`key`,
    `chancellor_held`.`x0`,
    `chancellor_held`.`x1`,
    `chancellor_held`.`x2`,
    `chancellor_held`.`x3`,
    `chancellor_held`.`__refused`,
    IF(
      `chancellor_held`.`x0` IS NULL,
      CAST('0.0' AS FLOAT64),
      CASE
        WHEN 'it\'s' = `chancellor_held`.`x0`
        THEN CAST('1.0' AS FLOAT64)
        WHEN 'ä\\n' = `chancellor_held`.`x0`
        THEN CAST('0.5' AS FLOAT64)
        ELSE CAST('0.25' AS FLOAT64)
      END
    ) AS `__goodness_0`,
    IF(
      `chancellor_held`.`x1` IS NULL,
      CAST('0.5' AS FLOAT64),
      GREATEST(
        CAST('0.0' AS FLOAT64),
        LEAST(
          CAST('1.0' AS FLOAT64),
          ieee_divide(
            LN(
              CAST('1.0' AS FLOAT64) + GREATEST(`chancellor_held`.`x1`, CAST('0.0' AS FLOAT64))
            ) - CAST('0.6931471805599453' AS FLOAT64),
            CAST('1.6094379124341005' AS FLOAT64)
          )
        )
      )
    ) AS `__goodness_1`,
    IF(
      `chancellor_held`.`x2` IS NULL,
      CAST('0.0' AS FLOAT64),
      CASE
        WHEN `chancellor_held`.`x2` < CAST('1.0' AS FLOAT64)
        THEN CAST('1.0' AS FLOAT64)
        WHEN `chancellor_held`.`x2` < CAST('2.5' AS FLOAT64)
        THEN CAST('0.1' AS FLOAT64)
        ELSE CAST('0.0' AS FLOAT64)
      END
    ) AS `__goodness_2`,
    IF(
      `chancellor_held`.`x3` IS NULL,
      CAST('0.0' AS FLOAT64),
      GREATEST(
        CAST('0.0' AS FLOAT64),
        LEAST(
          CAST('1.0' AS FLOAT64),
          ieee_divide(`chancellor_held`.`x3` - CAST('60.0' AS FLOAT64), CAST('-40.0' AS FLOAT64))
        )
      )
    ) AS `__goodness_3`,
    SUBSTRING(
      CONCAT(
        CONCAT(
          CONCAT(
            IF(`chancellor_held`.`x0` IS NULL, ';a \'b\' "c"', ''),
            IF(`chancellor_held`.`x1` IS NULL, ';Größe', '')
          ),
          IF(`chancellor_held`.`x2` IS NULL, ';late', '')
        ),
        IF(`chancellor_held`.`x3` IS NULL, ';age', '')
      ),
      2
    ) AS `__missing`
  FROM `chancellor_held`
), `chancellor_points` AS (
  SELECT
    `chancellor_goodness`.`key`,
    `chancellor_goodness`.`x0`,
    `chancellor_goodness`.`x1`,
    `chancellor_goodness`.`x2`,
    `chancellor_goodness`.`x3`,
    `chancellor_goodness`.`__refused`,
    `chancellor_goodness`.`__goodness_0`,
    `chancellor_goodness`.`__goodness_1`,
    `chancellor_goodness`.`__goodness_2`,
    `chancellor_goodness`.`__goodness_3`,
    `chancellor_goodness`.`__missing`,
    CAST('0.0' AS FLOAT64) + ieee_divide(
      CAST('100.0' AS FLOAT64) * (
        (
          CAST('2.0' AS FLOAT64) * `chancellor_goodness`.`__goodness_0`
        ) + (
          CAST('1.0' AS FLOAT64) * `chancellor_goodness`.`__goodness_1`
        ) + (
          CAST('1.0' AS FLOAT64) * `chancellor_goodness`.`__goodness_2`
        ) + (
          CAST('1.1' AS FLOAT64) * `chancellor_goodness`.`__goodness_3`
        )
      ),
      CAST('5.1' AS FLOAT64)
    ) AS `unrounded_score`,
    `chancellor_goodness`.`__missing` AS `missing_features`,
    ieee_divide(
      CAST('200.0' AS FLOAT64) * `chancellor_goodness`.`__goodness_0`,
      CAST('5.1' AS FLOAT64)
    ) AS `points_a 'b'_c`,
    ieee_divide(
      CAST('100.0' AS FLOAT64) * `chancellor_goodness`.`__goodness_1`,
      CAST('5.1' AS FLOAT64)
    ) AS `points_Größe`,
    ieee_divide(
      CAST('100.0' AS FLOAT64) * `chancellor_goodness`.`__goodness_2`,
      CAST('5.1' AS FLOAT64)
    ) AS `points_late`,
    ieee_divide(
      CAST('110.00000000000001' AS FLOAT64) * `chancellor_goodness`.`__goodness_3`,
      CAST('5.1' AS FLOAT64)
    ) AS `points_age`,
    CAST(FLOOR(
      (
        ieee_divide(
          CAST('200.0' AS FLOAT64) * (
            CAST('1.0' AS FLOAT64) - `chancellor_goodness`.`__goodness_0`
          ),
          CAST('5.1' AS FLOAT64)
        ) * CAST('1000000.0' AS FLOAT64)
      ) + CAST('0.5' AS FLOAT64)
    ) AS INT64) AS `__loss_0`,
    CAST(FLOOR(
      (
        ieee_divide(
          CAST('100.0' AS FLOAT64) * (
            CAST('1.0' AS FLOAT64) - `chancellor_goodness`.`__goodness_1`
          ),
          CAST('5.1' AS FLOAT64)
        ) * CAST('1000000.0' AS FLOAT64)
      ) + CAST('0.5' AS FLOAT64)
    ) AS INT64) AS `__loss_1`,
    CAST(FLOOR(
      (
        ieee_divide(
          CAST('100.0' AS FLOAT64) * (
            CAST('1.0' AS FLOAT64) - `chancellor_goodness`.`__goodness_2`
          ),
          CAST('5.1' AS FLOAT64)
        ) * CAST('1000000.0' AS FLOAT64)
      ) + CAST('0.5' AS FLOAT64)
    ) AS INT64) AS `__loss_2`,
    CAST(FLOOR(
      (
        ieee_divide(
          CAST('110.00000000000001' AS FLOAT64) * (
            CAST('1.0' AS FLOAT64) - `chancellor_goodness`.`__goodness_3`
          ),
          CAST('5.1' AS FLOAT64)
        ) * CAST('1000000.0' AS FLOAT64)
      ) + CAST('0.5' AS FLOAT64)
    ) AS INT64) AS `__loss_3`
  FROM `chancellor_goodness`
), `chancellor_ranks` AS (
  SELECT
    `chancellor_points`.`key`,
    `chancellor_points`.`x0`,
    `chancellor_points`.`x1`,
    `chancellor_points`.`x2`,
    `chancellor_points`.`x3`,
    `chancellor_points`.`__refused`,
    `chancellor_points`.`__goodness_0`,
    `chancellor_points`.`__goodness_1`,
    `chancellor_points`.`__goodness_2`,
    `chancellor_points`.`__goodness_3`,
    `chancellor_points`.`__missing`,
    `chancellor_points`.`unrounded_score`,
    `chancellor_points`.`missing_features`,
    `chancellor_points`.`points_a 'b'_c`,
    `chancellor_points`.`points_Größe`,
    `chancellor_points`.`points_late`,
    `chancellor_points`.`points_age`,
    `chancellor_points`.`__loss_0`,
    `chancellor_points`.`__loss_1`,
    `chancellor_points`.`__loss_2`,
    `chancellor_points`.`__loss_3`,
    CAST(FLOOR(
      `chancellor_points`.`unrounded_score` + CAST('0.5' AS FLOAT64) + CAST('1e-09' AS FLOAT64)
    ) AS INT64) AS `score`,
    0 + IF(`chancellor_points`.`__loss_1` > `chancellor_points`.`__loss_0`, 1, 0) + IF(`chancellor_points`.`__loss_2` > `chancellor_points`.`__loss_0`, 1, 0) + IF(`chancellor_points`.`__loss_3` > `chancellor_points`.`__loss_0`, 1, 0) AS `__rank_0`,
    0 + IF(`chancellor_points`.`__loss_0` >= `chancellor_points`.`__loss_1`, 1, 0) + IF(`chancellor_points`.`__loss_2` > `chancellor_points`.`__loss_1`, 1, 0) + IF(`chancellor_points`.`__loss_3` > `chancellor_points`.`__loss_1`, 1, 0) AS `__rank_1`,
    0 + IF(`chancellor_points`.`__loss_0` >= `chancellor_points`.`__loss_2`, 1, 0) + IF(`chancellor_points`.`__loss_1` >= `chancellor_points`.`__loss_2`, 1, 0) + IF(`chancellor_points`.`__loss_3` > `chancellor_points`.`__loss_2`, 1, 0) AS `__rank_2`,
    0 + IF(`chancellor_points`.`__loss_0` >= `chancellor_points`.`__loss_3`, 1, 0) + IF(`chancellor_points`.`__loss_1` >= `chancellor_points`.`__loss_3`, 1, 0) + IF(`chancellor_points`.`__loss_2` >= `chancellor_points`.`__loss_3`, 1, 0) AS `__rank_3`
  FROM `chancellor_points`
)
SELECT
  `chancellor_ranks`.`key` AS `party_id`,
  IF(`chancellor_ranks`.`__refused` > 0, CAST(NULL AS INT64), `chancellor_ranks`.`score`) AS `score`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS FLOAT64),
    `chancellor_ranks`.`unrounded_score`
  ) AS `unrounded_score`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS STRING),
    CASE WHEN `chancellor_ranks`.`score` >= 50 THEN 'hoch' ELSE 'low \'x\'' END
  ) AS `band`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS STRING),
    `chancellor_ranks`.`missing_features`
  ) AS `missing_features`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS STRING),
    CASE
      WHEN (
        `chancellor_ranks`.`__loss_0` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_0` = 0
      )
      THEN 'a \'b\' "c"'
      WHEN (
        `chancellor_ranks`.`__loss_1` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_1` = 0
      )
      THEN 'Größe'
      WHEN (
        `chancellor_ranks`.`__loss_2` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_2` = 0
      )
      THEN 'late'
      WHEN (
        `chancellor_ranks`.`__loss_3` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_3` = 0
      )
      THEN 'age'
      ELSE CAST(NULL AS STRING)
    END
  ) AS `reason_1`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS STRING),
    CASE
      WHEN (
        `chancellor_ranks`.`__loss_0` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_0` = 1
      )
      THEN 'a \'b\' "c"'
      WHEN (
        `chancellor_ranks`.`__loss_1` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_1` = 1
      )
      THEN 'Größe'
      WHEN (
        `chancellor_ranks`.`__loss_2` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_2` = 1
      )
      THEN 'late'
      WHEN (
        `chancellor_ranks`.`__loss_3` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_3` = 1
      )
      THEN 'age'
      ELSE CAST(NULL AS STRING)
    END
  ) AS `reason_2`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS STRING),
    CASE
      WHEN (
        `chancellor_ranks`.`__loss_0` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_0` = 2
      )
      THEN 'a \'b\' "c"'
      WHEN (
        `chancellor_ranks`.`__loss_1` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_1` = 2
      )
      THEN 'Größe'
      WHEN (
        `chancellor_ranks`.`__loss_2` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_2` = 2
      )
      THEN 'late'
      WHEN (
        `chancellor_ranks`.`__loss_3` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_3` = 2
      )
      THEN 'age'
      ELSE CAST(NULL AS STRING)
    END
  ) AS `reason_3`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS STRING),
    CASE
      WHEN (
        `chancellor_ranks`.`__loss_0` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_0` = 3
      )
      THEN 'a \'b\' "c"'
      WHEN (
        `chancellor_ranks`.`__loss_1` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_1` = 3
      )
      THEN 'Größe'
      WHEN (
        `chancellor_ranks`.`__loss_2` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_2` = 3
      )
      THEN 'late'
      WHEN (
        `chancellor_ranks`.`__loss_3` > 0
      )
      AND (
        `chancellor_ranks`.`__rank_3` = 3
      )
      THEN 'age'
      ELSE CAST(NULL AS STRING)
    END
  ) AS `reason_4`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS FLOAT64),
    `chancellor_ranks`.`points_a 'b'_c`
  ) AS `points_a 'b'_c`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS FLOAT64),
    `chancellor_ranks`.`points_Größe`
  ) AS `points_Größe`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS FLOAT64),
    `chancellor_ranks`.`points_late`
  ) AS `points_late`,
  IF(
    `chancellor_ranks`.`__refused` > 0,
    CAST(NULL AS FLOAT64),
    `chancellor_ranks`.`points_age`
  ) AS `points_age`
FROM `chancellor_ranks`
