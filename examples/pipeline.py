"""A pipeline: a study is read, classified, and written as ADaM datasets, in a few lines.

python examples/pipeline.py [FOLDER]
"""

import sys
from pathlib import Path

import itp_response

HERE = Path(__file__).parent


def run(folder: Path) -> itp_response.Adam:
    """Read the example study, classify it, and write its ADaM datasets to the folder."""
    found = itp_response.classify(HERE / "visits.csv", HERE / "patients.csv", "atra_2022")
    datasets = itp_response.adam(found, study="ATRA-ITP")
    datasets.write(folder / "adam", format="parquet")

    # Everything is a polars frame; what the program decided goes on into tables of your own.
    responses = datasets.datasets["ADRS"].frame
    print(responses.group_by("PARAM", "AVALC", maintain_order=True).len())
    return datasets


if __name__ == "__main__":
    print(run(Path(sys.argv[1] if len(sys.argv) > 1 else ".")).summary())
