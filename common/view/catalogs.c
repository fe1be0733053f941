#include "common/view/catalogs.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "common/log/log.h"
#include "common/metric/metric.h"
#include "common/view/candidates.h"

enum {
    HOME = 0,
    SLOTS = 3,          /* the home, and two others: one in use, one connected */
    PATIENCE_MS = 1000, /* for one that does not come up while there are others to try */
    LINGER_MS = 60000,  /* one that was used may have calls under way */
    SPREAD_MS = 1000,   /* a move that can wait happens within this, and more in large clusters: */
    SPREAD_NODES = 64,  /* as many nodes move in a second */
    REBALANCE_MS = 120 * 1000,
};

struct slot {
    struct cu_client *client; /* NULL: empty */
    char *url;
    struct cu_mono used;    /* last */
    struct cu_mono dialled; /* since */
};

struct view_catalogs {
    struct cu_rpc *rpc;
    struct cu_loop *loop;
    struct cu_log *log;
    struct cu_log_limit said;
    struct view_candidates *candidates;
    struct cu_random random;
    size_t nodes;
    uint64_t rebalance_ms;
    struct slot slots[SLOTS];
    size_t in_use;
    uint64_t uses;
    const struct cu_client *target; /* to be used when it comes up */
    struct cu_timer adjust_timer, home_timer, rebalance_timer;
    struct cu_turn_hook adjust_hook, change_hook;
    cu_callback *on_change;
    void *arg;
    struct cu_counter *moves;
};

static bool is_up(const struct view_catalogs *c, size_t i)
{
    return c->slots[i].client && cu_client_is_up(c->slots[i].client);
}

struct cu_client *view_catalogs_pick(const struct view_catalogs *c)
{
    return is_up(c, c->in_use) ? c->slots[c->in_use].client : NULL;
}

uint64_t view_catalogs_uses(const struct view_catalogs *c)
{
    return c->uses;
}

static size_t find(const struct view_catalogs *c, const struct cu_client *client)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (c->slots[i].client && c->slots[i].client == client)
            return i;
    return SLOTS;
}

/* ---- using ---- */

/* A while in which at most SPREAD_NODES nodes a second do the same. */
static uint64_t spread_ms(struct view_catalogs *c)
{
    uint64_t most = SPREAD_MS + SPREAD_MS * c->nodes / SPREAD_NODES;
    return cu_random_below(&c->random, most);
}

static void use(struct view_catalogs *c, size_t at, const char *why)
{
    size_t from = c->in_use;
    struct cu_mono now = cu_loop_now(c->loop);
    if (from != at && c->slots[from].used.ns > 0) {
        c->slots[from].used = now;
        cu_count(c->moves, 1);
        cu_info(c->log, "catalog.move", "from=%s to=%s reason=%s", c->slots[from].url,
                c->slots[at].url, why);
    }
    c->in_use = at;
    c->slots[at].used = now;
    c->target = NULL;
    c->uses++;
}

/* Moves to another one that is up, home first. */
static bool move(struct view_catalogs *c, const char *why)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (i != c->in_use && is_up(c, i)) {
            use(c, i, why);
            return true;
        }
    return false;
}

static void adjust_soon(struct view_catalogs *c)
{
    cu_loop_at_turn_end(c->loop, &c->adjust_hook);
}

bool view_catalogs_avoid(struct view_catalogs *c, const struct cu_client *client)
{
    if (find(c, client) != c->in_use)
        return view_catalogs_pick(c) != NULL; /* somebody has moved already */
    bool moved = move(c, "not-ready");
    if (moved) /* later: who asks is in the middle of an answer */
        cu_loop_at_turn_end(c->loop, &c->change_hook);
    adjust_soon(c);
    return moved;
}

static void go_home_later(struct view_catalogs *c)
{
    if (!cu_timer_is_set(&c->home_timer))
        cu_timer_set_ms(&c->home_timer, spread_ms(c));
}

static void came_up(struct view_catalogs *c, size_t at, const struct cu_client *client)
{
    if (at == c->in_use || !view_catalogs_pick(c))
        use(c, at, "up");
    else if (client == c->target)
        use(c, at, "rebalance");
    else if (at == HOME)
        go_home_later(c);
}

static void changed(void *arg, struct cu_client *client, bool up)
{
    struct view_catalogs *c = arg;
    size_t at = find(c, client);

    cu_log_limited(c->log, &c->said, up ? CU_LOG_INFO : CU_LOG_WARN,
                   up ? "catalog.connected" : "catalog.lost", "url=%s", cu_client_url(client));
    if (up && at < SLOTS)
        came_up(c, at, client);
    else if (at == c->in_use)
        (void)move(c, "lost"); /* if there is none, whoever comes up is the next */
    adjust_soon(c);
    c->on_change(c->arg);
}

static void go_home(void *arg)
{
    struct view_catalogs *c = arg;
    if (c->in_use == HOME || !is_up(c, HOME))
        return;
    use(c, HOME, "home");
    adjust_soon(c);
    c->on_change(c->arg);
}

/* ---- connecting ---- */

static void dial(struct view_catalogs *c, size_t at, const char *url)
{
    struct slot *slot = &c->slots[at];
    slot->url = cu_strdup(url);
    slot->dialled = cu_loop_now(c->loop);
    slot->client = cu_client_new(c->rpc, url, changed, c);
}

static void drop(struct view_catalogs *c, size_t at)
{
    struct slot *slot = &c->slots[at];
    if (slot->client == c->target)
        c->target = NULL;
    cu_client_free(slot->client);
    free(slot->url);
    *slot = (struct slot){.client = NULL};
}

static const char *take(struct view_catalogs *c)
{
    const char *taken[SLOTS];
    for (size_t i = 0; i < SLOTS; i++)
        taken[i] = c->slots[i].url;
    return view_candidates_take(c->candidates, taken, SLOTS);
}

/* Another one for the slot, if there is one. */
static void replace(struct view_catalogs *c, size_t at)
{
    const char *url = take(c);
    if (!url)
        return;
    if (c->slots[at].client)
        drop(c, at);
    dial(c, at, url);
}

/* One that only waits to be used: two others without a home, one beside it. */
static bool is_wanted(const struct view_catalogs *c, size_t at)
{
    if (at == c->in_use || !is_up(c, HOME))
        return true;
    for (size_t i = HOME + 1; i < at; i++)
        if (i != c->in_use && c->slots[i].client)
            return false;
    return true;
}

static bool has_rested(const struct view_catalogs *c, size_t at)
{
    struct cu_mono now = cu_loop_now(c->loop), used = c->slots[at].used;
    return used.ns == 0 || cu_mono_ms_between(used, now) >= LINGER_MS;
}

static bool is_late(const struct view_catalogs *c, size_t at)
{
    return !is_up(c, at) &&
           cu_mono_ms_between(c->slots[at].dialled, cu_loop_now(c->loop)) >= PATIENCE_MS;
}

static void adjust_slot(struct view_catalogs *c, size_t at)
{
    struct slot *slot = &c->slots[at];
    bool is_known = slot->url && view_candidates_has(c->candidates, slot->url);
    if (!slot->client) {
        if (is_wanted(c, at))
            replace(c, at);
    } else if (at == c->in_use && is_up(c, at)) {
        return; /* one that left the cluster closes its connections itself */
    } else if ((!is_known || !is_wanted(c, at)) && has_rested(c, at)) {
        drop(c, at);
        if (is_wanted(c, at))
            replace(c, at);
    } else if (is_late(c, at)) {
        replace(c, at);
    }
}

static void adjust(void *arg)
{
    struct view_catalogs *c = arg;
    bool is_settled = true;
    for (size_t i = HOME + 1; i < SLOTS; i++) {
        adjust_slot(c, i);
        is_settled &= c->slots[i].client ? is_up(c, i) && is_wanted(c, i) : true;
    }
    if (!is_settled && !cu_timer_is_set(&c->adjust_timer))
        cu_timer_set_ms(&c->adjust_timer, PATIENCE_MS);
}

/* ---- moving on ---- */

static void rebalance_later(struct view_catalogs *c)
{
    size_t servers = view_candidates_count(c->candidates);
    uint64_t rate = SPREAD_NODES * (servers ? servers : 1); /* nodes that move in a second */
    uint64_t ms = c->rebalance_ms + cu_random_below(&c->random, c->rebalance_ms / 2 + 1);
    uint64_t least = 1000 * c->nodes / rate;
    cu_timer_set_ms(&c->rebalance_timer, ms > least ? ms : least);
}

/* Away from home there is no reason to stay: another server is dialled, and used when it answers.
 * Where there are but two they take turns. */
static void rebalance(void *arg)
{
    struct view_catalogs *c = arg;
    size_t other = c->in_use == HOME + 1 ? HOME + 2 : HOME + 1;
    rebalance_later(c);
    if (c->in_use == HOME || !view_catalogs_pick(c))
        return;
    const struct cu_client *before = c->slots[other].client;
    if (has_rested(c, other))
        replace(c, other);
    if (c->slots[other].client != before)
        c->target = c->slots[other].client;
    else if (is_up(c, other))
        use(c, other, "rebalance");
    else
        return;
    c->on_change(c->arg);
}

void view_catalogs_offer(struct view_catalogs *c, enum cu_view_source source,
                         const char *const *urls, size_t count)
{
    if (view_candidates_offer(c->candidates, source, urls, count))
        adjust_soon(c);
}

void view_catalogs_set_size(struct view_catalogs *c, size_t nodes)
{
    c->nodes = nodes;
}

/* ---- life ---- */

static double candidates_gauge(void *arg)
{
    struct view_catalogs *c = arg;
    return (double)view_candidates_count(c->candidates);
}

static double connected_gauge(void *arg)
{
    double count = 0;
    for (size_t i = 0; i < SLOTS; i++)
        count += is_up(arg, i);
    return count;
}

static void name_metrics(struct view_catalogs *c, struct cu_metrics *metrics)
{
    c->moves = cu_metrics_counter(metrics, "view.moves");
    if (!metrics)
        return;
    cu_metrics_gauge(metrics, "view.catalogs", candidates_gauge, c);
    cu_metrics_gauge(metrics, "view.catalogs_connected", connected_gauge, c);
}

struct view_catalogs *view_catalogs_new(const struct cu_view_options *options,
                                        cu_callback *on_change, void *arg)
{
    uint64_t seed;
    struct view_catalogs *c = cu_alloc(sizeof *c);
    cu_random_bytes(&seed, sizeof seed);
    c->rpc = options->rpc;
    c->loop = options->loop;
    c->log = options->log;
    c->on_change = on_change;
    c->arg = arg;
    c->random.state = seed;
    c->candidates = view_candidates_new(seed);
    c->rebalance_ms = options->rebalance_ms ? options->rebalance_ms : REBALANCE_MS;
    c->adjust_hook = (struct cu_turn_hook){.fn = adjust, .arg = c};
    c->change_hook = (struct cu_turn_hook){.fn = on_change, .arg = arg};
    cu_timer_init(&c->adjust_timer, c->loop, adjust, c);
    cu_timer_init(&c->home_timer, c->loop, go_home, c);
    cu_timer_init(&c->rebalance_timer, c->loop, rebalance, c);
    name_metrics(c, options->metrics);
    (void)view_candidates_offer(c->candidates, CU_VIEW_SET, options->catalogs,
                                options->catalog_count);
    if (options->catalog_count > 0)
        dial(c, HOME, options->catalogs[0]);
    adjust(c);
    rebalance_later(c);
    return c;
}

void view_catalogs_free(struct view_catalogs *c)
{
    if (!c)
        return;
    cu_turn_hook_cancel(c->loop, &c->adjust_hook);
    cu_turn_hook_cancel(c->loop, &c->change_hook);
    cu_timer_close(&c->adjust_timer);
    cu_timer_close(&c->home_timer);
    cu_timer_close(&c->rebalance_timer);
    for (size_t i = 0; i < SLOTS; i++)
        if (c->slots[i].client)
            drop(c, i);
    view_candidates_free(c->candidates);
    free(c);
}
