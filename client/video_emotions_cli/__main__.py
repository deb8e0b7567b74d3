"""``python -m video_emotions_cli``."""

from video_emotions_cli.main import main

main()
