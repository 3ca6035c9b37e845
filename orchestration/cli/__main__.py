"""``python -m orchestration.cli`` is ``csp``."""

from orchestration.cli.app import main

if __name__ == "__main__":
    main()
