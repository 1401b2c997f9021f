"""3.5: the application in the container: it reads the reports. The task is in README.md beside this file."""

import boto3


def main() -> None:
    """Print the texts of the objects below PREFIX in BUCKET, by key, as one JSON object."""
    # TODO: your code
    raise NotImplementedError


if __name__ == "__main__":
    main()
