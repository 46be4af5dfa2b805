"""`genchi deploy`: what makes a workspace's nights run by themselves, with Prefect, cron or systemd."""

from flows.cli.deploy.deploying import run

__all__ = ["run"]
