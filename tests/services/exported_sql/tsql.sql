-- scorecard:    "quotes 'and' \"more\" -- \\ Gr\u00f6\u00dfe"
-- version:      v1
-- content hash: e8f7a97f7ce4bf537171d61128e92e0ba27c55daed9d6b7bdb89e5a88b65fcba
-- made by:      chancellor export v1 --to something
WITH [chancellor_read] AS (
  SELECT
    [t0].[party_id] AS [key],
    TRIM((NCHAR(32) + NCHAR(9) + NCHAR(13) + NCHAR(10) + NCHAR(160) + NCHAR(65279)) FROM CAST([t0].[a 'b' "c"] AS NVARCHAR(MAX)) COLLATE Latin1_General_BIN2) AS [raw_0],
    CAST([t0].[Größe] AS FLOAT) AS [raw_1],
    CAST([t0].[late] AS FLOAT) AS [raw_2],
    CAST([t0].[age] AS FLOAT) AS [raw_3]
  FROM [batch] AS [t0]
), [chancellor_held] AS (
  SELECT
    [chancellor_read].[key],
    IIF(
      [chancellor_read].[raw_0] IN ('', 'NaN', 'nan'),
      CAST(NULL AS NVARCHAR(MAX)),
      [chancellor_read].[raw_0]
    ) AS [x0],
    IIF(
      [chancellor_read].[raw_1] IS NULL,
      CAST(NULL AS FLOAT),
      GREATEST(CAST('1.0' AS FLOAT), LEAST(CAST('9.0' AS FLOAT), [chancellor_read].[raw_1]))
    ) AS [x1],
    [chancellor_read].[raw_2] AS [x2],
    IIF(
      [chancellor_read].[raw_3] IS NULL,
      CAST(NULL AS FLOAT),
      IIF(
        ABS(
          GREATEST(CAST('20.0' AS FLOAT), LEAST(CAST('60.0' AS FLOAT), [chancellor_read].[raw_3])) - CAST('60.0' AS FLOAT)
        ) < CAST('4e-149' AS FLOAT),
        CAST('60.0' AS FLOAT),
        GREATEST(CAST('20.0' AS FLOAT), LEAST(CAST('60.0' AS FLOAT), [chancellor_read].[raw_3]))
      )
    ) AS [x3],
    0 + IIF(
      (
        [chancellor_read].[raw_1] > CAST('1.7976931348623157e+308' AS FLOAT)
      )
      OR (
        [chancellor_read].[raw_1] < -(
          CAST('1.7976931348623157e+308' AS FLOAT)
        )
      ),
      1,
      0
    ) + IIF(
      (
        [chancellor_read].[raw_2] > CAST('1.7976931348623157e+308' AS FLOAT)
      )
      OR (
        [chancellor_read].[raw_2] < -(
          CAST('1.7976931348623157e+308' AS FLOAT)
        )
      ),
      1,
      0
    ) + IIF(
      (
        [chancellor_read].[raw_3] > CAST('1.7976931348623157e+308' AS FLOAT)
      )
      OR (
        [chancellor_read].[raw_3] < -(
          CAST('1.7976931348623157e+308' AS FLOAT)
        )
      ),
      1,
      0
    ) AS [__refused]
  FROM [chancellor_read]
), [chancellor_goodness] AS (
  SELECT
    [chancellor_held].[key],
    [chancellor_held].[x0],
    [chancellor_held].[x1],
    [chancellor_held].[x2],
    [chancellor_held].[x3],
    [chancellor_held].[__refused],
    IIF(
      [chancellor_held].[x0] IS NULL,
      CAST('0.0' AS FLOAT),
      CASE
        WHEN 'it''s' = [chancellor_held].[x0]
        THEN CAST('1.0' AS FLOAT)
        WHEN N'ä\n' = [chancellor_held].[x0]
        THEN CAST('0.5' AS FLOAT)
        ELSE CAST('0.25' AS FLOAT)
      END
    ) AS [__goodness_0],
    IIF(
      [chancellor_held].[x1] IS NULL,
      CAST('0.5' AS FLOAT),
      GREATEST(
        CAST('0.0' AS FLOAT),
        LEAST(
          CAST('1.0' AS FLOAT),
          (
            LOG(CAST('1.0' AS FLOAT) + GREATEST([chancellor_held].[x1], CAST('0.0' AS FLOAT))) - CAST('0.6931471805599453' AS FLOAT)
          ) / CAST('1.6094379124341005' AS FLOAT)
        )
      )
    ) AS [__goodness_1],
    IIF(
      [chancellor_held].[x2] IS NULL,
      CAST('0.0' AS FLOAT),
      CASE
        WHEN [chancellor_held].[x2] < CAST('1.0' AS FLOAT)
        THEN CAST('1.0' AS FLOAT)
        WHEN [chancellor_held].[x2] < CAST('2.5' AS FLOAT)
        THEN CAST('0.1' AS FLOAT)
        ELSE CAST('0.0' AS FLOAT)
      END
    ) AS [__goodness_2],
    IIF(
      [chancellor_held].[x3] IS NULL,
      CAST('0.0' AS FLOAT),
      GREATEST(
        CAST('0.0' AS FLOAT),
        LEAST(
          CAST('1.0' AS FLOAT),
          (
            [chancellor_held].[x3] - CAST('60.0' AS FLOAT)
          ) / CAST('-40.0' AS FLOAT)
        )
      )
    ) AS [__goodness_3],
    SUBSTRING(
      CONCAT_WS(
        '',
        IIF([chancellor_held].[x0] IS NULL, ';a ''b'' "c"', ''),
        IIF([chancellor_held].[x1] IS NULL, N';Größe', ''),
        IIF([chancellor_held].[x2] IS NULL, ';late', ''),
        IIF([chancellor_held].[x3] IS NULL, ';age', ''),
        ''
      ),
      2,
      LEN(
        CONCAT_WS(
          '',
          IIF([chancellor_held].[x0] IS NULL, ';a ''b'' "c"', ''),
          IIF([chancellor_held].[x1] IS NULL, N';Größe', ''),
          IIF([chancellor_held].[x2] IS NULL, ';late', ''),
          IIF([chancellor_held].[x3] IS NULL, ';age', ''),
          ''
        )
      )
    ) AS [__missing]
  FROM [chancellor_held]
), [chancellor_points] AS (
  SELECT
    [chancellor_goodness].[key],
    [chancellor_goodness].[x0],
    [chancellor_goodness].[x1],
    [chancellor_goodness].[x2],
    [chancellor_goodness].[x3],
    [chancellor_goodness].[__refused],
    [chancellor_goodness].[__goodness_0],
    [chancellor_goodness].[__goodness_1],
    [chancellor_goodness].[__goodness_2],
    [chancellor_goodness].[__goodness_3],
    [chancellor_goodness].[__missing],
    CAST('0.0' AS FLOAT) + (
      (
        CAST('100.0' AS FLOAT) * (
          (
            CAST('2.0' AS FLOAT) * [chancellor_goodness].[__goodness_0]
          ) + (
            CAST('1.0' AS FLOAT) * [chancellor_goodness].[__goodness_1]
          ) + (
            CAST('1.0' AS FLOAT) * [chancellor_goodness].[__goodness_2]
          ) + (
            CAST('1.1' AS FLOAT) * [chancellor_goodness].[__goodness_3]
          )
        )
      ) / CAST('5.1' AS FLOAT)
    ) AS [unrounded_score],
    [chancellor_goodness].[__missing] AS [missing_features],
    (
      CAST('200.0' AS FLOAT) * [chancellor_goodness].[__goodness_0]
    ) / CAST('5.1' AS FLOAT) AS [points_a 'b' "c"],
    (
      CAST('100.0' AS FLOAT) * [chancellor_goodness].[__goodness_1]
    ) / CAST('5.1' AS FLOAT) AS [points_Größe],
    (
      CAST('100.0' AS FLOAT) * [chancellor_goodness].[__goodness_2]
    ) / CAST('5.1' AS FLOAT) AS [points_late],
    (
      CAST('110.00000000000001' AS FLOAT) * [chancellor_goodness].[__goodness_3]
    ) / CAST('5.1' AS FLOAT) AS [points_age],
    CAST(FLOOR(
      (
        (
          (
            CAST('200.0' AS FLOAT) * (
              CAST('1.0' AS FLOAT) - [chancellor_goodness].[__goodness_0]
            )
          ) / CAST('5.1' AS FLOAT)
        ) * CAST('1000000.0' AS FLOAT)
      ) + CAST('0.5' AS FLOAT)
    ) AS BIGINT) AS [__loss_0],
    CAST(FLOOR(
      (
        (
          (
            CAST('100.0' AS FLOAT) * (
              CAST('1.0' AS FLOAT) - [chancellor_goodness].[__goodness_1]
            )
          ) / CAST('5.1' AS FLOAT)
        ) * CAST('1000000.0' AS FLOAT)
      ) + CAST('0.5' AS FLOAT)
    ) AS BIGINT) AS [__loss_1],
    CAST(FLOOR(
      (
        (
          (
            CAST('100.0' AS FLOAT) * (
              CAST('1.0' AS FLOAT) - [chancellor_goodness].[__goodness_2]
            )
          ) / CAST('5.1' AS FLOAT)
        ) * CAST('1000000.0' AS FLOAT)
      ) + CAST('0.5' AS FLOAT)
    ) AS BIGINT) AS [__loss_2],
    CAST(FLOOR(
      (
        (
          (
            CAST('110.00000000000001' AS FLOAT) * (
              CAST('1.0' AS FLOAT) - [chancellor_goodness].[__goodness_3]
            )
          ) / CAST('5.1' AS FLOAT)
        ) * CAST('1000000.0' AS FLOAT)
      ) + CAST('0.5' AS FLOAT)
    ) AS BIGINT) AS [__loss_3]
  FROM [chancellor_goodness]
), [chancellor_ranks] AS (
  SELECT
    [chancellor_points].[key],
    [chancellor_points].[x0],
    [chancellor_points].[x1],
    [chancellor_points].[x2],
    [chancellor_points].[x3],
    [chancellor_points].[__refused],
    [chancellor_points].[__goodness_0],
    [chancellor_points].[__goodness_1],
    [chancellor_points].[__goodness_2],
    [chancellor_points].[__goodness_3],
    [chancellor_points].[__missing],
    [chancellor_points].[unrounded_score],
    [chancellor_points].[missing_features],
    [chancellor_points].[points_a 'b' "c"],
    [chancellor_points].[points_Größe],
    [chancellor_points].[points_late],
    [chancellor_points].[points_age],
    [chancellor_points].[__loss_0],
    [chancellor_points].[__loss_1],
    [chancellor_points].[__loss_2],
    [chancellor_points].[__loss_3],
    CAST(FLOOR(
      [chancellor_points].[unrounded_score] + CAST('0.5' AS FLOAT) + CAST('1e-09' AS FLOAT)
    ) AS BIGINT) AS [score],
    0 + IIF([chancellor_points].[__loss_1] > [chancellor_points].[__loss_0], 1, 0) + IIF([chancellor_points].[__loss_2] > [chancellor_points].[__loss_0], 1, 0) + IIF([chancellor_points].[__loss_3] > [chancellor_points].[__loss_0], 1, 0) AS [__rank_0],
    0 + IIF([chancellor_points].[__loss_0] >= [chancellor_points].[__loss_1], 1, 0) + IIF([chancellor_points].[__loss_2] > [chancellor_points].[__loss_1], 1, 0) + IIF([chancellor_points].[__loss_3] > [chancellor_points].[__loss_1], 1, 0) AS [__rank_1],
    0 + IIF([chancellor_points].[__loss_0] >= [chancellor_points].[__loss_2], 1, 0) + IIF([chancellor_points].[__loss_1] >= [chancellor_points].[__loss_2], 1, 0) + IIF([chancellor_points].[__loss_3] > [chancellor_points].[__loss_2], 1, 0) AS [__rank_2],
    0 + IIF([chancellor_points].[__loss_0] >= [chancellor_points].[__loss_3], 1, 0) + IIF([chancellor_points].[__loss_1] >= [chancellor_points].[__loss_3], 1, 0) + IIF([chancellor_points].[__loss_2] >= [chancellor_points].[__loss_3], 1, 0) AS [__rank_3]
  FROM [chancellor_points]
)
SELECT
  [chancellor_ranks].[key] AS [party_id],
  IIF([chancellor_ranks].[__refused] > 0, CAST(NULL AS BIGINT), [chancellor_ranks].[score]) AS [score],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS FLOAT),
    [chancellor_ranks].[unrounded_score]
  ) AS [unrounded_score],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS NVARCHAR(MAX)),
    CASE WHEN [chancellor_ranks].[score] >= 50 THEN 'hoch' ELSE 'low ''x''' END
  ) AS [band],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS NVARCHAR(MAX)),
    [chancellor_ranks].[missing_features]
  ) AS [missing_features],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS NVARCHAR(MAX)),
    CASE
      WHEN (
        [chancellor_ranks].[__loss_0] > 0
      )
      AND (
        [chancellor_ranks].[__rank_0] = 0
      )
      THEN 'a ''b'' "c"'
      WHEN (
        [chancellor_ranks].[__loss_1] > 0
      )
      AND (
        [chancellor_ranks].[__rank_1] = 0
      )
      THEN N'Größe'
      WHEN (
        [chancellor_ranks].[__loss_2] > 0
      )
      AND (
        [chancellor_ranks].[__rank_2] = 0
      )
      THEN 'late'
      WHEN (
        [chancellor_ranks].[__loss_3] > 0
      )
      AND (
        [chancellor_ranks].[__rank_3] = 0
      )
      THEN 'age'
      ELSE CAST(NULL AS NVARCHAR(MAX))
    END
  ) AS [reason_1],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS NVARCHAR(MAX)),
    CASE
      WHEN (
        [chancellor_ranks].[__loss_0] > 0
      )
      AND (
        [chancellor_ranks].[__rank_0] = 1
      )
      THEN 'a ''b'' "c"'
      WHEN (
        [chancellor_ranks].[__loss_1] > 0
      )
      AND (
        [chancellor_ranks].[__rank_1] = 1
      )
      THEN N'Größe'
      WHEN (
        [chancellor_ranks].[__loss_2] > 0
      )
      AND (
        [chancellor_ranks].[__rank_2] = 1
      )
      THEN 'late'
      WHEN (
        [chancellor_ranks].[__loss_3] > 0
      )
      AND (
        [chancellor_ranks].[__rank_3] = 1
      )
      THEN 'age'
      ELSE CAST(NULL AS NVARCHAR(MAX))
    END
  ) AS [reason_2],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS NVARCHAR(MAX)),
    CASE
      WHEN (
        [chancellor_ranks].[__loss_0] > 0
      )
      AND (
        [chancellor_ranks].[__rank_0] = 2
      )
      THEN 'a ''b'' "c"'
      WHEN (
        [chancellor_ranks].[__loss_1] > 0
      )
      AND (
        [chancellor_ranks].[__rank_1] = 2
      )
      THEN N'Größe'
      WHEN (
        [chancellor_ranks].[__loss_2] > 0
      )
      AND (
        [chancellor_ranks].[__rank_2] = 2
      )
      THEN 'late'
      WHEN (
        [chancellor_ranks].[__loss_3] > 0
      )
      AND (
        [chancellor_ranks].[__rank_3] = 2
      )
      THEN 'age'
      ELSE CAST(NULL AS NVARCHAR(MAX))
    END
  ) AS [reason_3],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS NVARCHAR(MAX)),
    CASE
      WHEN (
        [chancellor_ranks].[__loss_0] > 0
      )
      AND (
        [chancellor_ranks].[__rank_0] = 3
      )
      THEN 'a ''b'' "c"'
      WHEN (
        [chancellor_ranks].[__loss_1] > 0
      )
      AND (
        [chancellor_ranks].[__rank_1] = 3
      )
      THEN N'Größe'
      WHEN (
        [chancellor_ranks].[__loss_2] > 0
      )
      AND (
        [chancellor_ranks].[__rank_2] = 3
      )
      THEN 'late'
      WHEN (
        [chancellor_ranks].[__loss_3] > 0
      )
      AND (
        [chancellor_ranks].[__rank_3] = 3
      )
      THEN 'age'
      ELSE CAST(NULL AS NVARCHAR(MAX))
    END
  ) AS [reason_4],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS FLOAT),
    [chancellor_ranks].[points_a 'b' "c"]
  ) AS [points_a 'b' "c"],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS FLOAT),
    [chancellor_ranks].[points_Größe]
  ) AS [points_Größe],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS FLOAT),
    [chancellor_ranks].[points_late]
  ) AS [points_late],
  IIF(
    [chancellor_ranks].[__refused] > 0,
    CAST(NULL AS FLOAT),
    [chancellor_ranks].[points_age]
  ) AS [points_age]
FROM [chancellor_ranks]
