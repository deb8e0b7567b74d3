"""``make fuzz``: thousands of damaged clips. It prints the seed and the outcomes by code, and keeps findings as files.

Run it again with the printed seed for the same mutants.
"""

import argparse
import secrets
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from tests.hostile.mutants import CLIPS, Mutant, good_clip, mutants
from tests.hostile.outcomes import Outcome, same, violations
from tests.hostile.victims import Victim

_VICTIMS = 2
_AT_ONCE = 64
"""Mutants in memory."""


def outcomes(made: Iterable[Mutant], patch: str = "") -> Iterator[tuple[Mutant, Outcome, list[str]]]:
    """Read mutants in `Victim` processes. Yield each one, its outcome, and what does not hold for it."""
    for clip in CLIPS:
        good_clip(clip)
    with ExitStack() as stack, ThreadPoolExecutor(_VICTIMS) as threads:
        victims: SimpleQueue[Victim] = SimpleQueue()
        for _ in range(_VICTIMS):
            victims.put(stack.enter_context(Victim(patch)))

        def run(mutant: Mutant) -> tuple[Mutant, Outcome, list[str]]:
            victim = victims.get()
            first, second = victim.read(mutant.data, mutant.options)
            victims.put(victim)
            found = violations(first)
            if same(first) != same(second):
                found.append("the second time it is another outcome")
            return mutant, first, found

        waiting = []
        for mutant in made:
            waiting.append(threads.submit(run, mutant))
            if len(waiting) == _AT_ONCE:
                yield waiting.pop(0).result()
        for last in waiting:
            yield last.result()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--findings", type=Path, default=Path(".cache/fuzz"), help="folder for the findings")
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    print(f"seed {seed}: {arguments.count} mutants of {len(CLIPS)} clips", flush=True)
    codes: Counter[str] = Counter()
    findings = 0
    for mutant, outcome, found in outcomes(mutants(seed, arguments.count)):
        codes[outcome["code"]] += 1
        if found:
            findings += 1
            arguments.findings.mkdir(parents=True, exist_ok=True)
            path = arguments.findings / f"{mutant.name}-{mutant.clip}"
            path.write_bytes(mutant.data)
            print(f"{', '.join(found)}\n  {mutant.recipe}\n  {path}", flush=True)
    for code, count in codes.most_common():
        print(f"{count:6} {code}")
    print(f"{findings} findings")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
