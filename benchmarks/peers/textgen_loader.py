"""Pairs served by textgen: `read_pairs`, shuffled, from either layout."""

import serving

from textgen.dataset import read_pairs

# More epochs than a measurement takes.
EPOCHS = 10_000


def main() -> None:
    parser = serving.parser()
    parser.add_argument("--compact", action="store_true", help="X as it is stored, uint16")
    parser.add_argument("--start-step", type=int, default=0, help="how many batches to leave out at the start")
    given = parser.parse_args()
    options = {"compact": True} if given.compact else {}
    serving.measure(
        lambda: read_pairs(
            given.data,
            batch_size=serving.BATCH,
            seed=0,
            epochs=EPOCHS,
            start_step=given.start_step,
            **options,
        ),
        given.seconds,
    )


if __name__ == "__main__":
    main()
