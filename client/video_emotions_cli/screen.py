"""What is on the terminal while videos are analyzed. All of it goes to standard error."""

from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from video_emotions_cli.files import Video


class Screen:
    """Progress bars and messages. Threads may share it.

    Parameters
    ----------
    videos : list of Video
    is_quiet : bool
        Show errors only.
    """

    def __init__(self, videos: list[Video], *, is_quiet: bool) -> None:
        self.console = Console(stderr=True, soft_wrap=True, highlight=False)
        self._is_quiet = is_quiet
        self._tasks: dict[Video, TaskID] = {}
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=is_quiet or not self.console.is_terminal,
        )
        self._whole = self._bars.add_task("All videos", total=len(videos), visible=len(videos) > 1)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, video: Video, stage: str, done: int, total: int) -> None:
        """Show how far a video is."""
        if video not in self._tasks:
            self._tasks[video] = self._bars.add_task("")
        description = f"{escape(str(video.name))}: {stage}"
        self._bars.update(self._tasks[video], description=description, completed=done, total=total or None)

    def finish(self, video: Video) -> None:
        """Remove a video's bar."""
        if video in self._tasks:
            self._bars.remove_task(self._tasks.pop(video))
        self._bars.advance(self._whole)

    def note(self, text: RenderableType) -> None:
        """Show a message, unless the user wants none."""
        if not self._is_quiet:
            self.console.print(text)

    def fail(self, name: str, text: str) -> None:
        """Show an error."""
        self.console.print(f"[red]{escape(name)}:[/] {escape(text)}")
