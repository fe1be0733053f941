-- PUTs a new value of 128 bytes to a random one of KEYS keys (each differs: equal ones are no-ops).
local keys = tonumber(os.getenv("KEYS") or "100000")
local count, pad = 0, string.rep("v", 116)
function init() math.randomseed(os.time()) count = math.random(0, 1000000) * 1000 end
function request()
  count = count + 1
  return wrk.format("PUT", string.format("/v1/kv/bench/%07d", math.random(0, keys - 1)), nil,
                    string.format("%012d", count) .. pad)
end
dofile(os.getenv("BENCH_DIR") .. "/done.lua")
