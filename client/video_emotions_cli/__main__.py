"""``python -m video_emotions_cli``."""

from video_emotions_cli.main import main

if __name__ == "__main__":  # and not in the processes of a pool, which import this module
    main()
