"""Makes pytest at the top of the course grade: see src/fargrade/plugin."""

pytest_plugins = ("fargrade.plugin",)
