"""``python -m mdplatform`` is the same as the ``mdplatform`` command."""

from mdplatform.cli import main

if __name__ == "__main__":
    main()
