"""Token ids by datatrove: a CSVReader and a DocumentTokenizer, one task a file."""

import time
from pathlib import Path

import job
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import CSVReader
from datatrove.pipeline.tokens import DocumentTokenizer
from datatrove.utils.logging import logger


def main() -> None:
    given = job.arguments()
    logger.remove()
    started = time.monotonic()
    folder = Path(given.corpus[0]).parent
    names = given.output.with_suffix(".paths")
    names.write_text("\n".join(Path(path).name for path in given.corpus))
    LocalPipelineExecutor(
        pipeline=[
            CSVReader(str(folder), paths_file=str(names)),
            DocumentTokenizer(str(given.output), given.vocabulary, shuffle_documents=False),
        ],
        tasks=len(given.corpus),
        start_method="fork",
        logging_dir=str(given.output.with_suffix(".logs")),
    ).run()
    seconds = time.monotonic() - started
    tokens = sum(path.stat().st_size for path in given.output.glob("*.ds")) // 2
    job.report(seconds, given.output.iterdir(), tokens=tokens)


if __name__ == "__main__":
    main()
