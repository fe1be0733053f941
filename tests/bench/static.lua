-- GETs the one static answer of nginx.
function request() return wrk.format("GET", "/") end
dofile(os.getenv("BENCH_DIR") .. "/done.lua")
