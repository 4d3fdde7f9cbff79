"""``python -m backend pocket``: train and judge the prior that ships."""

import typer

app = typer.Typer(no_args_is_help=True, help="Train and judge the prior that ships.")
