-- GETs a random one of KEYS keys; bench.py reads the line that done() prints.
local keys = tonumber(os.getenv("KEYS") or "100000")
function init() math.randomseed(tonumber(os.getenv("SEED") or "1")) end
function request()
  return wrk.format("GET", string.format("/v1/kv/bench/%07d", math.random(0, keys - 1)))
end
dofile(os.getenv("BENCH_DIR") .. "/done.lua")
