"""`python -m itp_response.cli` runs the command line."""

from itp_response.cli import main

main()
