"""The definitions of criteria/atra_2022.toml hard-coded in DuckDB's SQL, with window functions."""

from __future__ import annotations

QUERY = """
WITH rows AS (
    SELECT patient_id, day, platelets, baseline, bleeding_grade >= 1 AS bleeding, rescue, rescue AND day >= 36 AS late,
        min(day) FILTER (rescue AND day >= 36) OVER (PARTITION BY patient_id) AS closing,
        -- a course counts from the day after it began
        max(rescue_end) FILTER (rescue) OVER (
            PARTITION BY patient_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS rescued_until
    FROM visits JOIN patients USING (patient_id)
), states AS (
    SELECT *, coalesce(day - rescued_until <= 35, false) AS washout,
        ((platelets >= 30 AND platelets >= 2 * baseline) OR platelets >= 100) AND NOT bleeding AS responding
    FROM rows
), runs AS (
    SELECT *, count(*) FILTER (NOT responding) OVER (PARTITION BY patient_id ORDER BY day) AS run
    FROM states WHERE day BETWEEN 1 AND 365 AND (closing IS NULL OR day < closing)
), occasions AS (
    SELECT patient_id, run, day, responding IS NOT NULL AS certain FROM runs
    WHERE coalesce(responding, platelets IS NOT NULL) AND NOT washout
), pairs AS (
    SELECT patient_id, day, min(day) OVER (PARTITION BY patient_id, run) AS onset FROM occasions WHERE certain
), reached AS (
    SELECT patient_id, arg_min(onset, day) AS or_day, min(day) AS confirmed_day
    FROM pairs WHERE day - onset >= 7 GROUP BY patient_id
), possible AS (
    SELECT patient_id, day, min(day) OVER (PARTITION BY patient_id, run) AS onset FROM occasions
), reachable AS (
    SELECT DISTINCT patient_id, true AS could FROM possible WHERE day - onset >= 7
), followed AS (
    SELECT patient_id, bool_or(platelets IS NOT NULL AND day >= 337) AS followed,
        bool_or(late) AS late_rescued, bool_or(late AND day <= 365) AS closed
    FROM states GROUP BY patient_id
), after_response AS (
    SELECT *,
        min(day) FILTER ((platelets < 30 OR bleeding OR late) AND day > confirmed_day AND day <= 365)
            OVER (PARTITION BY patient_id) AS relapse_day,
        platelets > 30 AND NOT bleeding AND NOT rescue AS kept,
        platelets > 30 AND NOT bleeding AND NOT late AS good
    FROM states JOIN reached USING (patient_id) WHERE day BETWEEN or_day AND 393
), known AS (
    SELECT *,
        max(day) FILTER (kept IS NOT NULL) OVER (
            PARTITION BY patient_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS last_known,
        platelets >= 100 AND NOT bleeding AND NOT washout AND day <= 365
            AND (relapse_day IS NULL OR day < relapse_day) AS complete
    FROM after_response
), spans AS (
    SELECT *, CASE WHEN last_known IS NULL OR last_known < or_day + 182 THEN kept END AS sustained FROM known
), course AS (
    SELECT patient_id, any_value(or_day) AS or_day, any_value(confirmed_day) AS confirmed_day,
        any_value(relapse_day) AS relapse_day,
        min(day) FILTER (complete) AS cr_day, max(day) FILTER (complete) - min(day) FILTER (complete) >= 7 AS complete,
        bool_and(sustained) AS sustained, bool_or(sustained AND day >= or_day + 182) AS shown,
        max(day - last_known) FILTER (sustained IS NOT NULL) AS longest_gap,
        bool_and(good) AS in_remission, bool_or(good AND day >= 337) AS at_one_year,
        max(day) FILTER (platelets IS NOT NULL AND day <= 365) AS last_count
    FROM spans GROUP BY patient_id
), decided AS (
    SELECT *, coalesce(complete, false) AS is_complete, coalesce(followed, false) AS seen,
        or_day IS NOT NULL AND treatment_discontinued IS NULL AS met,
        treatment_discontinued IS NOT NULL OR coalesce(closed, false) OR (coalesce(followed, false) AND could IS NULL)
            AS never
    FROM patients LEFT JOIN followed USING (patient_id) LEFT JOIN course USING (patient_id)
        LEFT JOIN reachable USING (patient_id)
)
SELECT patient_id,
    CASE WHEN met THEN if(is_complete, 'CR', 'R') WHEN never THEN 'NR' ELSE 'NE' END AS best_response,
    CASE WHEN met THEN 'Y' WHEN never THEN 'N' ELSE 'NE' END AS OR_,
    if(met, or_day, NULL) AS OR_day,
    if(met, confirmed_day, NULL) AS OR_confirmed_day,
    CASE WHEN NOT met THEN if(never, 'N', 'NE') WHEN is_complete THEN 'Y'
        WHEN relapse_day IS NOT NULL OR seen THEN 'N' ELSE 'NE' END AS CR,
    if(met AND is_complete, cr_day, NULL) AS CR_day,
    CASE WHEN NOT met THEN if(never, 'N', 'NE') WHEN or_day + 182 > 365 OR NOT sustained THEN 'N'
        WHEN shown AND coalesce(longest_gap, 0) <= 56 THEN 'Y' ELSE 'NE' END AS SR,
    CASE WHEN NOT met THEN if(never, 'NA', 'NE') WHEN relapse_day IS NOT NULL THEN 'Y' WHEN seen THEN 'N'
        ELSE 'NE' END AS relapse,
    if(met, relapse_day, NULL) AS relapse_day,
    CASE WHEN NOT met THEN if(never, 'N', 'NE') WHEN NOT in_remission THEN 'N' WHEN at_one_year THEN 'Y'
        ELSE 'NE' END AS remission,
    CASE WHEN late_rescued THEN 'Y' WHEN seen THEN 'N' ELSE 'NE' END AS late_rescue,
    if(met, or_day, NULL) AS TTR_days,
    if(met, coalesce(relapse_day, last_count) - or_day, NULL) AS DOR_days,
    if(met, (relapse_day IS NOT NULL)::TINYINT, NULL) AS DOR_event
FROM decided ORDER BY patient_id
""".replace("OR_,", '"OR",')
"""One row per patient, of the tables `visits` (a row per patient and day) and `patients`."""
