"""The definitions of criteria/atra_2022.toml hard-coded in pandas, whole columns at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd


def classify(visits: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    """One row per patient with all verdicts, in the order of `patients`.

    `visits` has a row per patient and day, sorted, with `rescue` true or false.
    """
    rows = visits.merge(patients[["patient_id", "baseline"]], on="patient_id", how="left", sort=False)
    rows["position"] = (rows["patient_id"] != rows["patient_id"].shift()).cumsum()
    count, day, position = rows["platelets"], rows["day"], rows["position"]
    bleeding, clean = rows["bleeding_grade"] >= 1, rows["bleeding_grade"] < 1
    rows["late"] = rows["rescue"] & (day >= 36)
    # a course counts from the day after it began
    until = rows["rescue_end"].where(rows["rescue"]).groupby(position).cummax().groupby(position).ffill()
    rows["washout"] = day - until.groupby(position).shift() <= 35
    rows["met"] = (((count >= 30) & (count >= 2 * rows["baseline"])) | (count >= 100)) & clean
    rows["failed"] = (count < 30) | ((count < 100) & (count < 2 * rows["baseline"])) | bleeding
    rows["clean"], rows["bleeding"] = clean, bleeding

    by_patient = rows.groupby("position", sort=False)
    every = pd.DataFrame({"patient_id": by_patient["patient_id"].first()})
    every["followed"] = (count.notna() & (day >= 337)).groupby(position).any()
    every["late_rescued"] = by_patient["late"].any()
    every["closed"] = (rows["late"] & (day <= 365)).groupby(position).any()
    every = every.join(_reached(rows))
    every = every.join(_after_response(rows, every))
    return _verdicts(patients.merge(every, on="patient_id", how="left"))


def _reached(rows: pd.DataFrame) -> pd.DataFrame:
    """OR and confirming day of those who reached it, and who could have if unknown counts had been in the state."""
    closing = rows["day"].where(rows["late"]).groupby(rows["position"]).transform("min")
    eligible = rows[rows["day"].between(1, 365) & ~(rows["day"] >= closing)].copy()
    eligible["run"] = eligible.groupby("position")["failed"].cumsum()
    certain = eligible["met"] & ~eligible["washout"]
    open_state = ~eligible["met"] & ~eligible["failed"] & eligible["platelets"].notna()
    possible = certain | (open_state & ~eligible["washout"])
    reached = _first_pairs(eligible[certain]).rename(columns={"onset": "OR_day", "day": "OR_confirmed_day"})
    reached["reached"] = True
    return reached.join(_first_pairs(eligible[possible])[[]].assign(could=True), how="outer")


def _first_pairs(occasions: pd.DataFrame) -> pd.DataFrame:
    occasions = occasions[["position", "run", "day"]].copy()
    occasions["onset"] = occasions.groupby(["position", "run"])["day"].transform("min")
    pairs = occasions[occasions["day"] - occasions["onset"] >= 7]
    return pairs.drop_duplicates("position").set_index("position")[["onset", "day"]]


def _after_response(rows: pd.DataFrame, every: pd.DataFrame) -> pd.DataFrame:
    """What the verdicts ask of the time from OR to the end of the last window."""
    reached = every.loc[every["reached"].notna(), ["OR_day", "OR_confirmed_day"]]
    rows = rows.merge(reached, left_on="position", right_index=True)
    rows = rows[(rows["day"] >= rows["OR_day"]) & (rows["day"] <= 393)].copy()
    count, day, position, clean = rows["platelets"], rows["day"], rows["position"], rows["clean"]
    low = (count <= 30) | rows["bleeding"]
    lost = ((count < 30) | rows["bleeding"] | rows["late"]) & (day > rows["OR_confirmed_day"]) & (day <= 365)
    rows["relapse_day"] = day.where(lost).groupby(position).transform("min")
    complete = (count >= 100) & clean & ~rows["washout"] & (day <= 365) & ~(day >= rows["relapse_day"])
    kept, broken = (count > 30) & clean & ~rows["rescue"], low | rows["rescue"]
    known = day.where(kept | broken).groupby(position).ffill().groupby(position).shift()
    due = rows["OR_day"] + 182
    # SR rests on the rows whose state is known, up to the first of them on or after the day it falls due
    in_span = ~(known >= due)
    kept, broken = kept & in_span, broken & in_span
    good = (count > 30) & clean & ~rows["late"]

    def any_of(flag: pd.Series) -> pd.Series:
        return flag.groupby(position).any()

    def day_of(flag: pd.Series, which: str) -> pd.Series:
        return day.where(flag).groupby(position).agg(which)

    return pd.DataFrame(
        {
            "relapse_day": rows.groupby("position")["relapse_day"].first(),
            "CR_day": day_of(complete, "min"),
            "last_complete": day_of(complete, "max"),
            "broken": any_of(broken),
            "shown": any_of(kept & (day >= due)),
            "longest_gap": (day - known).where(kept | broken).groupby(position).max(),
            "fallen": any_of(low | rows["late"]),
            "at_one_year": any_of(good & (day >= 337)),
            "last_count": day_of(count.notna() & (day <= 365), "max"),
        }
    )


def _verdicts(patients: pd.DataFrame) -> pd.DataFrame:
    def true(name: str) -> np.ndarray:
        return patients[name].eq(True).to_numpy()

    followed, stopped = true("followed"), patients["treatment_discontinued"].notna().to_numpy()
    met = true("reached") & ~stopped
    never = stopped | true("closed") | (followed & ~true("could"))
    relapsed = patients["relapse_day"].notna().to_numpy()
    complete = (patients["last_complete"] - patients["CR_day"] >= 7).to_numpy()

    def of_responders(verdict: np.ndarray, of_others: str = "N") -> np.ndarray:
        return np.select([met, never], [verdict, of_others], "NE")

    sr = np.select(
        [(patients["OR_day"] + 182 > 365) | true("broken"), true("shown") & ~(patients["longest_gap"] > 56)],
        ["N", "Y"],
        "NE",
    )
    end = patients["relapse_day"].fillna(patients["last_count"])
    return pd.DataFrame(
        {
            "patient_id": patients["patient_id"],
            "best_response": of_responders(np.where(complete, "CR", "R"), "NR"),
            "OR": of_responders(np.full(len(patients), "Y")),
            "OR_day": patients["OR_day"].where(met).astype("Int32"),
            "OR_confirmed_day": patients["OR_confirmed_day"].where(met).astype("Int32"),
            "CR": of_responders(np.select([complete, relapsed | followed], ["Y", "N"], "NE")),
            "CR_day": patients["CR_day"].where(met & complete).astype("Int32"),
            "SR": of_responders(sr),
            "relapse": of_responders(np.select([relapsed, followed], ["Y", "N"], "NE"), "NA"),
            "relapse_day": patients["relapse_day"].where(met).astype("Int32"),
            "remission": of_responders(np.select([true("fallen"), true("at_one_year")], ["N", "Y"], "NE")),
            "late_rescue": np.select([true("late_rescued"), followed], ["Y", "N"], "NE"),
            "TTR_days": patients["OR_day"].where(met).astype("Int32"),
            "DOR_days": (end - patients["OR_day"]).where(met).astype("Int32"),
            "DOR_event": pd.Series(relapsed, index=patients.index).where(met).astype("Int8"),
        }
    )
