"""Where the tests find a real model: the one that the program ships."""

from pathlib import Path

import adapters

DEMO_MODEL = Path(adapters.__file__).parent / "llama" / "models" / "understudy-demo.gguf"
