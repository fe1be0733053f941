/* The snapshot file: lines as serf writes and reads them, and our own as comments (gossip.md 20).
 *
 *   alive: NAME ADDRESS         not-alive: NAME       clock: N  event-clock: N  query-clock: N
 *   leave
 *   # curia: STATUS SINCE_WALL_MS INCARNATION ADDRESS VERSIONS META NAME
 *
 * STATUS is failed, left or reaped; VERSIONS six numbers with commas or -; META hex digits or -. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "services/gossipd/core/address.h"
#include "services/gossipd/core/state.h"

#define TEXT(b) (int)(b).len, (const char *)(b).data

static const char prefix[] = "# curia: ";

/* ---- writing ---- */

static void put_versions(struct cu_buf *out, const struct gossip_versions *v)
{
    if (v->known)
        cu_buf_printf(out, "%u,%u,%u,%u,%u,%u ", v->pmin, v->pmax, v->pcur, v->dmin, v->dmax,
                      v->dcur);
    else
        cu_buf_text(out, "- ");
}

static void put_gone(struct cu_buf *out, const struct gossip_member *member)
{
    char addr[GOSSIP_ADDR_TEXT_BYTES];
    cu_buf_printf(out, "%s%s %" PRIu64 " %u %s ", prefix, gossip_status_name(member->status),
                  member->since_wall_ms, member->incarnation,
                  gossip_addr_format(member->addr, addr));
    put_versions(out, &member->versions);
    for (size_t i = 0; i < member->meta.len; i++)
        cu_buf_printf(out, "%02x", member->meta.data[i]);
    cu_buf_printf(out, "%s %.*s", member->meta.len ? "" : "-", TEXT(member->name));
}

static void put_alive(struct cu_buf *out, struct cu_bytes name, struct gossip_addr address)
{
    char addr[GOSSIP_ADDR_TEXT_BYTES];
    cu_buf_printf(out, "alive: %.*s %s", TEXT(name), gossip_addr_format(address, addr));
}

static bool is_here(const struct gossip_member *member)
{
    return member->status == GOSSIP_STATUS_ALIVE || member->status == GOSSIP_STATUS_LEAVING;
}

void gossip_write_record(struct gossip *g, const struct gossip_member *member)
{
    struct cu_buf line = {0};
    if (is_here(member)) {
        put_alive(&line, member->name, member->addr);
    } else {
        if (member->status != GOSSIP_STATUS_REAPED)
            gossip_line(g, "not-alive: %.*s", TEXT(member->name));
        put_gone(&line, member);
    }
    gossip_line(g, "%.*s", (int)line.len, (const char *)line.data);
    cu_buf_deinit(&line);
    gossip_write_clocks(g);
}

static void write_clock(struct gossip *g, const char *name, uint64_t clock, uint64_t *written)
{
    if (clock - 1 == *written)
        return;
    *written = clock - 1;
    gossip_line(g, "%s: %" PRIu64, name, *written);
}

void gossip_write_clocks(struct gossip *g)
{
    write_clock(g, "clock", g->member_time, &g->written_member);
    write_clock(g, "event-clock", g->event_time, &g->written_event);
    write_clock(g, "query-clock", g->query_time, &g->written_query);
}

bool gossip_has_clocks_to_write(const struct gossip *g)
{
    return !g->snapshot_closed &&
           (g->member_time - 1 != g->written_member || g->event_time - 1 != g->written_event ||
            g->query_time - 1 != g->written_query);
}

void gossip_write_leave(struct gossip *g)
{
    gossip_line(g, "leave");
    g->out->items[g->out->count - 1].snapshot.sync = true;
    g->snapshot_closed = true;
}

static void write_members(const struct gossip *g, struct cu_buf *out)
{
    for (const struct gossip_member *m = g->members.feed_first; m; m = m->feed_next) {
        if (is_here(m))
            put_alive(out, m->name, m->addr);
        else
            put_gone(out, m);
        cu_buf_u8(out, '\n');
    }
    for (uint32_t i = 0; i < g->unseen_count; i++) {
        put_alive(out, g->unseen[i].name, g->unseen[i].addr);
        cu_buf_u8(out, '\n');
    }
}

void gossip_snapshot_write(const struct gossip *gossip, struct cu_buf *out)
{
    bool has_left = gossip->leave.phase != GOSSIP_STAYS;
    if (!has_left || gossip->rejoin_after_leave)
        write_members(gossip, out);
    cu_buf_printf(out, "clock: %" PRIu64 "\nevent-clock: %" PRIu64 "\nquery-clock: %" PRIu64 "\n",
                  gossip->member_time - 1, gossip->event_time - 1, gossip->query_time - 1);
    if (has_left)
        cu_buf_text(out, "leave\n");
}

uint64_t gossip_snapshot_limit(const struct gossip *gossip)
{
    enum { FLOOR_BYTES = 128 * 1024, MEMBER_BYTES = 128, GONE_BYTES = 1536 };
    const uint32_t *count = gossip->members.count;
    uint64_t gone = (uint64_t)count[GOSSIP_STATUS_FAILED] + count[GOSSIP_STATUS_LEFT] +
                    count[GOSSIP_STATUS_REAPED];
    uint64_t here = (uint64_t)count[GOSSIP_STATUS_ALIVE] + count[GOSSIP_STATUS_LEAVING];
    uint64_t limit = 2 * (here * MEMBER_BYTES + gone * GONE_BYTES);
    return limit > FLOOR_BYTES ? limit : FLOOR_BYTES;
}

/* ---- reading ---- */

static bool starts(struct cu_bytes line, const char *with, struct cu_bytes *ret_rest)
{
    struct cu_bytes start = cu_bytes_of(with);
    if (!cu_bytes_has_prefix(line, start))
        return false;
    *ret_rest = (struct cu_bytes){line.data + start.len, line.len - start.len};
    return true;
}

/* The word up to the next blank; *rest begins behind it. */
static struct cu_bytes word(struct cu_bytes *rest)
{
    const uint8_t *blank = rest->len ? memchr(rest->data, ' ', rest->len) : NULL;
    struct cu_bytes found = {rest->data, blank ? (size_t)(blank - rest->data) : rest->len};
    size_t used = found.len + (blank ? 1 : 0);
    *rest = (struct cu_bytes){rest->data + used, rest->len - used};
    return found;
}

static bool number(struct cu_bytes text, uint64_t *ret_value)
{
    return !cu_parse_u64((const char *)text.data, text.len, ret_value);
}

static bool read_alive(struct gossip *g, struct cu_bytes rest)
{
    size_t at = rest.len;
    while (at && rest.data[at - 1] != ' ') /* names may hold blanks: the last one counts */
        at--;
    struct gossip_addr addr;
    if (at < 2 || !gossip_name_is_fit((struct cu_bytes){rest.data, at - 1}) ||
        g->unseen_count == g->members_max ||
        !gossip_addr_parse((struct cu_bytes){rest.data + at, rest.len - at}, &addr))
        return false;
    struct cu_bytes name = {rest.data, at - 1};
    struct gossip_member *member = gossip_members_get(&g->members, name);
    if (member && member != g->self)
        gossip_members_forget(&g->members, member);
    if (!cu_bytes_equal(name, g->name))
        gossip_unseen_add(g, name, addr);
    return true;
}

static bool read_versions(struct cu_bytes text, struct gossip_versions *ret_versions)
{
    uint8_t v[6];
    size_t count = 0;
    *ret_versions = (struct gossip_versions){0};
    if (text.len == 1 && text.data[0] == '-')
        return true;
    while (count < 6) {
        const uint8_t *comma = text.len ? memchr(text.data, ',', text.len) : NULL;
        struct cu_bytes one = {text.data, comma ? (size_t)(comma - text.data) : text.len};
        uint64_t n = 0;
        if (!number(one, &n) || n > UINT8_MAX)
            return false;
        v[count++] = (uint8_t)n;
        if (!comma)
            break;
        text = (struct cu_bytes){comma + 1, text.len - one.len - 1};
    }
    *ret_versions = (struct gossip_versions){true, v[0], v[1], v[2], v[3], v[4], v[5]};
    return count == 6;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_meta(struct cu_bytes text, uint8_t ret_meta[GOSSIP_META_MAX_BYTES],
                      size_t *ret_len)
{
    *ret_len = 0;
    if (text.len == 1 && text.data[0] == '-')
        return true;
    if (text.len % 2 || text.len / 2 > GOSSIP_META_MAX_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_meta[(*ret_len)++] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static enum gossip_status gone_status(struct cu_bytes text)
{
    for (enum gossip_status s = GOSSIP_STATUS_LEFT; s < GOSSIP_STATUS_COUNT; s++)
        if (cu_bytes_equal(text, cu_bytes_of(gossip_status_name(s))))
            return s;
    return GOSSIP_STATUS_NONE;
}

struct gone {
    enum gossip_status status;
    uint64_t since_wall_ms, incarnation;
    struct gossip_addr addr;
    struct gossip_versions versions;
    uint8_t meta[GOSSIP_META_MAX_BYTES];
    size_t meta_len;
    struct cu_bytes name;
};

static bool parse_gone(struct cu_bytes rest, struct gone *gone)
{
    gone->status = gone_status(word(&rest));
    if (gone->status == GOSSIP_STATUS_NONE || !number(word(&rest), &gone->since_wall_ms) ||
        !number(word(&rest), &gone->incarnation) || !gossip_addr_parse(word(&rest), &gone->addr) ||
        !read_versions(word(&rest), &gone->versions) ||
        !read_meta(word(&rest), gone->meta, &gone->meta_len))
        return false;
    gone->name = rest;
    return gossip_name_is_fit(rest) && gone->incarnation <= UINT32_MAX;
}

static bool read_gone(struct gossip *g, struct cu_bytes rest)
{
    struct gone gone;
    if (!parse_gone(rest, &gone))
        return false;
    struct gossip_member *member = gossip_members_get(&g->members, gone.name);
    if (member == g->self)
        return true;
    gossip_unseen_seen(g, gone.name);
    if (!member && g->members.by_name.count >= g->members_max)
        return false;
    if (!member)
        member = gossip_members_add(&g->members, gone.name);
    member->addr = gone.addr;
    member->versions = gone.versions;
    member->incarnation = (uint32_t)gone.incarnation;
    gossip_member_set_meta(member, (struct cu_bytes){gone.meta, gone.meta_len});
    gossip_members_set_status(&g->members, member, gone.status);
    member->since_wall_ms = gone.since_wall_ms;
    return true;
}

/* All that the file said so far, but for ourselves. */
static void forget_all(struct gossip *g)
{
    size_t at = 0;
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&g->members.by_name, &at, &name, &value))
        if (value != g->self)
            gossip_members_forget(&g->members, value);
    while (g->unseen_count)
        gossip_unseen_seen(g, g->unseen[g->unseen_count - 1].name);
    g->member_time = g->event_time = g->query_time = 1;
    g->event_min = g->query_min = 0;
}

static bool read_clock(struct cu_bytes rest, uint64_t *clock, uint64_t *ret_min)
{
    uint64_t n = 0;
    if (!number(rest, &n) || n == UINT64_MAX)
        return false;
    *clock = n + 1;
    if (ret_min)
        *ret_min = n + 1;
    return true;
}

static bool read_line(struct gossip *g, struct cu_bytes line)
{
    struct cu_bytes rest;
    if (starts(line, "alive: ", &rest))
        return read_alive(g, rest);
    if (starts(line, "not-alive: ", &rest)) {
        gossip_unseen_seen(g, rest);
        return true;
    }
    if (starts(line, "clock: ", &rest))
        return read_clock(rest, &g->member_time, NULL);
    if (starts(line, "event-clock: ", &rest))
        return read_clock(rest, &g->event_time, &g->event_min);
    if (starts(line, "query-clock: ", &rest))
        return read_clock(rest, &g->query_time, &g->query_min);
    if (starts(line, prefix, &rest))
        return read_gone(g, rest);
    if (cu_bytes_equal(line, cu_bytes_of("leave"))) {
        if (!g->rejoin_after_leave)
            forget_all(g);
        return true;
    }
    return starts(line, "#", &rest) || starts(line, "coordinate: ", &rest) || !line.len;
}

/* Records of those gone long ago are older than this life: what is left of their time to be reaped
 * is counted from the wall clock, and never more than all of it. */
static void date(struct gossip *g, struct gossip_member *member)
{
    uint64_t gone_ms = g->wall_ms > member->since_wall_ms ? g->wall_ms - member->since_wall_ms : 0;
    uint64_t ns = gone_ms > UINT64_MAX / 1000000 ? UINT64_MAX : gone_ms * 1000000;
    member->since = (struct cu_mono){g->now.ns > ns ? g->now.ns - ns : 1};
}

void gossip_restore(struct gossip *g, struct cu_bytes snapshot)
{
    while (snapshot.len) {
        const uint8_t *end = memchr(snapshot.data, '\n', snapshot.len);
        if (!end)
            break; /* a line cut short by a crash */
        struct cu_bytes line = {snapshot.data, (size_t)(end - snapshot.data)};
        if (!read_line(g, line))
            g->bad_lines++;
        snapshot = (struct cu_bytes){end + 1, snapshot.len - line.len - 1};
    }
    size_t at = 0;
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&g->members.by_name, &at, &name, &value)) {
        struct gossip_member *member = value;
        if (member == g->self)
            continue;
        date(g, member);
        gossip_members_record(&g->members, member,
                              member->status == GOSSIP_STATUS_FAILED ? GOSSIP_CHANGE_FAILED
                              : member->status == GOSSIP_STATUS_LEFT ? GOSSIP_CHANGE_LEFT
                                                                     : GOSSIP_CHANGE_REAPED);
    }
}
