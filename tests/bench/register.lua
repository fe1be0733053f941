-- PUTs registrations of one of SERVICES services, 100 on a node, each with a check; what is registered differs
-- from what was there by MODE: "new" a service, "change" a port, "check" a status, "same" nothing.
local services = tonumber(os.getenv("SERVICES"))
local mode, base, count = os.getenv("MODE"), tonumber(os.getenv("BASE") or "0"), 0
function init() math.randomseed(os.time()) count = math.random(0, 1000) * 10 end
function request()
  count = count + 1
  local n = mode == "new" and base + count or math.random(0, services - 1)
  local port = mode == "change" and count % 60000 + 1 or 80
  local status = mode == "check" and (count % 2 == 0 and "passing" or "critical") or "passing"
  return wrk.format("PUT", "/v1/catalog/register", nil, string.format(
    '{"Node":"node-%d","Address":"10.0.0.1","Service":{"ID":"s-%d","Service":"svc-%d","Tags":["v1","master"],' ..
    '"Port":%d},"Check":{"Name":"alive","CheckID":"service:s-%d","ServiceID":"s-%d","Status":"%s"}}',
    n % math.max(1, math.floor(services / 100)), n, n % math.max(1, math.floor(services / 10)), port, n, n, status))
end
dofile(os.getenv("BENCH_DIR") .. "/done.lua")
