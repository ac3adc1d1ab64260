# llama.cpp builds its command-line tools' shared library, half of the whole compile, although the Python package never
# loads it. A normal variable set before the project outweighs the cache entry that upstream forces on.
set(LLAMA_BUILD_COMMON OFF)
