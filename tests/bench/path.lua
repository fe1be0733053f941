-- GETs one path, BENCH_PATH.
local path = os.getenv("BENCH_PATH")
function request() return wrk.format("GET", path) end
dofile(os.getenv("BENCH_DIR") .. "/done.lua")
