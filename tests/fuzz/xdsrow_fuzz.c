/* xdsrow_fuzz.c - rows of the catalog put into xdsd's view and taken out again, and the resources
 * of every proxy that is found:
 *
 *     rows: u8 topic (bit 7: deleted), u8 node, u8 id, u16 length, the packed message
 *
 * Equal views make equal resources; a view without rows holds nothing. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/xdsd/core/view.h"

enum { ROWS_MAX = 256, NODES = 2, IDS = 3 };

struct row {
    enum xds_topic topic;
    char key[64];
    size_t key_len;
};

static struct cu_bytes key_of(const struct row *row)
{
    return (struct cu_bytes){(const uint8_t *)row->key, row->key_len};
}

static void name_row(struct row *row, uint8_t node, uint8_t id)
{
    static const char *const kinds[] = {"service-defaults", "proxy-defaults", "service-intentions"};
    static const char *const names[] = {"web", "global", "*"};
    bool has_id = row->topic == XDS_SERVICES || row->topic == XDS_CHECKS;
    int len = row->topic == XDS_ENTRIES
                  ? snprintf(row->key, sizeof row->key, "default%cdefault%c%s%c%s", 0, 0,
                             kinds[node % 3], 0, names[id % 3])
                  : snprintf(row->key, sizeof row->key, "default%cdefault%cn%u%cid%u", 0, 0,
                             node % NODES, 0, id % IDS);
    row->key_len = (size_t)len;
    if (row->topic != XDS_ENTRIES && !has_id)
        row->key_len -= 4; /* without NUL and "id0" */
}

static struct xds_snapshot *make(const struct xds_view *view, const char *node, const char *id)
{
    struct cu_arena *arena = cu_arena_new(XDS_PROXY_ARENA_BYTES);
    struct xds_proxy proxy;
    struct xds_snapshot *snapshot = NULL;
    size_t left_out;
    if (xds_view_proxy(view, node, id, arena, &proxy, &left_out) == XDS_FOUND) {
        proxy.leaf_pem = "leaf\n";
        proxy.leaf_key_pem = "key\n";
        snapshot = xds_proxy_resources(&proxy, 1, &left_out);
    }
    cu_arena_free(arena);
    return snapshot;
}

static void check_proxies(const struct xds_view *view)
{
    for (unsigned n = 0; n < NODES; n++)
        for (unsigned i = 0; i < IDS; i++) {
            char node[8], id[8];
            (void)snprintf(node, sizeof node, "N%u", n);
            (void)snprintf(id, sizeof id, "id%u", i);
            struct xds_snapshot *once = make(view, node, id), *twice = make(view, node, id);
            if (!once != !twice || (once && !xds_snapshot_equal(once, twice)))
                abort();
            xds_snapshot_unref(once);
            xds_snapshot_unref(twice);
        }
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_reader r = cu_reader_of((struct cu_bytes){data, len});
    struct xds_view *view = xds_view_new("dc1", len % 2);
    static struct row rows[ROWS_MAX];
    size_t count = 0;
    bool good = len > 0;
    while (cu_reader_left(&r) > 0 && !r.failed && count < ROWS_MAX) {
        uint8_t kind = cu_read_u8(&r), node = cu_read_u8(&r), id = cu_read_u8(&r);
        struct cu_bytes bytes = cu_read_bytes(&r, cu_read_u16le(&r));
        struct row *row = &rows[count++];
        row->topic = (enum xds_topic)((kind & 0x7f) % XDS_TOPIC_COUNT);
        name_row(row, node, id);
        if (kind & 0x80)
            xds_view_del(view, row->topic, key_of(row));
        else if (r.failed || xds_view_put(view, row->topic, key_of(row), bytes))
            good = false;
    }
    check_proxies(view);
    for (size_t i = 0; i < count; i++)
        xds_view_del(view, rows[i].topic, key_of(&rows[i]));
    struct xds_view_counts counts = xds_view_counts(view);
    if (counts.nodes || counts.instances || counts.checks || counts.entries)
        abort();
    xds_view_free(view);
    return good;
}
