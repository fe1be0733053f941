#include "common/view/catalogs.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "common/log/log.h"

enum { CONNECTED = 2 };

struct view_catalogs {
    struct cu_rpc *rpc;
    struct cu_loop *loop;
    struct cu_log *log;
    struct cu_log_limit said;
    char **urls;
    size_t count, next; /* next: the URL to be dialled after a loss */
    struct cu_client *clients[CONNECTED];
    size_t client_count, in_use;
    uint64_t uses;
    struct cu_turn_hook replace_hook, change_hook;
    cu_callback *on_change;
    void *arg;
};

struct cu_client *view_catalogs_pick(const struct view_catalogs *c)
{
    struct cu_client *client = c->clients[c->in_use];
    return cu_client_is_up(client) ? client : NULL;
}

uint64_t view_catalogs_uses(const struct view_catalogs *c)
{
    return c->uses;
}

static void use(struct view_catalogs *c, size_t at)
{
    c->in_use = at;
    c->uses++;
}

static size_t find(const struct view_catalogs *c, const struct cu_client *client)
{
    for (size_t i = 0; i < c->client_count; i++)
        if (c->clients[i] == client)
            return i;
    return c->client_count;
}

/* Moves to another one that is up. */
static bool move(struct view_catalogs *c)
{
    for (size_t i = 0; i < c->client_count; i++)
        if (i != c->in_use && cu_client_is_up(c->clients[i])) {
            use(c, i);
            return true;
        }
    return false;
}

bool view_catalogs_avoid(struct view_catalogs *c, const struct cu_client *client)
{
    if (find(c, client) != c->in_use)
        return view_catalogs_pick(c) != NULL; /* somebody has moved already */
    bool moved = move(c);
    if (moved) /* later: who asks is in the middle of an answer */
        cu_loop_at_turn_end(c->loop, &c->change_hook);
    return moved;
}

static void changed(void *arg, struct cu_client *client, bool is_up)
{
    struct view_catalogs *c = arg;
    size_t at = find(c, client);

    cu_log_limited(c->log, &c->said, is_up ? CU_LOG_INFO : CU_LOG_WARN,
                   is_up ? "catalog.connected" : "catalog.lost", "url=%s", cu_client_url(client));
    if (is_up && at < c->client_count && (at == c->in_use || !view_catalogs_pick(c)))
        use(c, at);
    if (!is_up && at == c->in_use)
        (void)move(c); /* if there is none, whoever comes up is the next */
    if (!is_up && c->count > c->client_count)
        cu_loop_at_turn_end(c->loop, &c->replace_hook);
    c->on_change(c->arg);
}

/* Whoever is lost is dialled again by its own client; where there are more addresses than
 * connections the next one is tried instead. */
static void replace_lost(void *arg)
{
    struct view_catalogs *c = arg;
    for (size_t i = 0; i < c->client_count; i++) {
        if (cu_client_is_up(c->clients[i]))
            continue;
        struct cu_client *lost = c->clients[i];
        c->clients[i] = cu_client_new(c->rpc, c->urls[c->next], changed, c);
        c->next = (c->next + 1) % c->count;
        cu_client_free(lost);
    }
}

struct view_catalogs *view_catalogs_new(const struct cu_view_options *options,
                                        cu_callback *on_change, void *arg)
{
    CU_ASSERT(options->catalog_count > 0);
    struct view_catalogs *c = cu_alloc(sizeof *c);
    c->rpc = options->rpc;
    c->loop = options->loop;
    c->log = options->log;
    c->on_change = on_change;
    c->arg = arg;
    c->replace_hook = (struct cu_turn_hook){.fn = replace_lost, .arg = c};
    c->change_hook = (struct cu_turn_hook){.fn = on_change, .arg = arg};
    c->count = options->catalog_count;
    c->urls = cu_alloc(c->count * sizeof *c->urls);
    for (size_t i = 0; i < c->count; i++)
        c->urls[i] = cu_strdup(options->catalogs[i]);
    c->client_count = c->count < CONNECTED ? c->count : CONNECTED;
    for (size_t i = 0; i < c->client_count; i++)
        c->clients[i] = cu_client_new(c->rpc, c->urls[i], changed, c);
    c->next = c->client_count % c->count;
    return c;
}

void view_catalogs_free(struct view_catalogs *c)
{
    if (!c)
        return;
    cu_turn_hook_cancel(c->loop, &c->replace_hook);
    cu_turn_hook_cancel(c->loop, &c->change_hook);
    for (size_t i = 0; i < c->client_count; i++)
        cu_client_free(c->clients[i]);
    for (size_t i = 0; i < c->count; i++)
        free(c->urls[i]);
    free(c->urls);
    free(c);
}
