/* envelope_fuzz.c - heads of calls and replies, whole and first parts: what parses is written back
 * to an equal message. */
#include <stdlib.h>
#include <string.h>

#include "common/bus/envelope.h"
#include "tests/fuzz/fuzz.h"

static void check(bool claim)
{
    if (!claim)
        abort();
}

static bool same(struct cu_bytes a, struct cu_bytes b)
{
    return cu_bytes_equal(a, b);
}

static bool try_envelope(struct cu_bytes in, bool first_part)
{
    struct cu_envelope m, again;
    struct cu_buf out = {0};
    if (!cu_envelope_parse(in, first_part, &m))
        return false;
    check(m.body.len <= m.body_len && m.whole_len >= m.body_len && m.whole_len >= in.len);
    cu_buf_reserve(&out, cu_envelope_head_max(&m) + m.body.len);
    out.len = (size_t)(cu_envelope_write_head(out.data, &m) - out.data);
    check(out.len <= cu_envelope_head_max(&m));
    cu_buf_append(&out, m.body.data, m.body.len);
    check(cu_envelope_parse(cu_buf_bytes(&out), first_part, &again));
    check(same(m.method, again.method) && same(m.token, again.token) &&
          same(m.datacenter, again.datacenter) && same(m.trace_id, again.trace_id) &&
          same(m.request_id, again.request_id) && same(m.origin_node, again.origin_node) &&
          same(m.origin_daemon, again.origin_daemon) &&
          same(m.origin_address, again.origin_address) && same(m.body, again.body));
    check(m.timeout_ms == again.timeout_ms && m.hops == again.hops && m.body_len == again.body_len);
    cu_buf_deinit(&out);
    return true;
}

static bool try_reply(struct cu_bytes in, bool first_part)
{
    struct cu_reply m, again;
    struct cu_buf out = {0};
    if (!cu_reply_parse(in, first_part, &m))
        return false;
    check(m.body.len <= m.body_len && m.whole_len >= in.len);
    cu_buf_reserve(&out, cu_reply_head_max(&m) + m.body.len);
    out.len = (size_t)(cu_reply_write_head(out.data, &m) - out.data);
    cu_buf_append(&out, m.body.data, m.body.len);
    check(cu_reply_parse(cu_buf_bytes(&out), first_part, &again));
    check(m.error == again.error && m.index == again.index && same(m.text, again.text) &&
          same(m.body, again.body) && m.body_len == again.body_len);
    cu_buf_deinit(&out);
    return true;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_bytes in = {data, len};
    bool parses = try_envelope(in, false);
    parses |= try_envelope(in, true);
    parses |= try_reply(in, false);
    parses |= try_reply(in, true);
    return parses;
}
