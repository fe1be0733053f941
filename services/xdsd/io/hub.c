#include "services/xdsd/io/hub.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/map.h"

struct xds_subject {
    struct xds_subject *next, **at; /* of hub->subjects */
    struct xds_hub *hub;
    char *node, *id;
    struct xds_needs needs;
    char *service;         /* that it stands for; NULL: not known */
    struct xds_leaf *leaf; /* of the service; NULL: nobody may be told of it */
    uint64_t leaf_number;  /* that the snapshot was made with */
    bool is_no_proxy;      /* it was, when looked at last */
    struct xds_snapshot *snapshot;
    struct xds_seat *seats;
    struct cu_timer linger;
    /* The seats are told at the end of the turn. */
    struct cu_turn_hook tell;
};

struct xds_hub {
    struct xds_hub_options o;
    struct cu_map by_name; /* NODE NUL ID */
    struct xds_subject *subjects;
    struct xds_subject *pass; /* where a pass goes on; NULL: none is under way */
    uint64_t numbers;         /* of snapshots */
    struct cu_timer timer;
    struct cu_mono pass_begun;
    bool has_moved;
    struct cu_log_limit said;
    struct cu_counter *builds, *changes, *left_out;
    struct cu_sample *build_ms;
};

/* ---- one proxy ---- */

static void ask_in(struct xds_seat *seat)
{
    if (seat->subject->service)
        seat->named(seat, seat->subject->service);
}

static void tell(void *arg)
{
    struct xds_subject *subject = arg;
    struct xds_seat *next;
    for (struct xds_seat *seat = subject->seats; seat; seat = next) {
        next = seat->next;
        if (subject->is_no_proxy)
            seat->no_proxy(seat);
        else if (subject->hub->o.is_guarded && !seat->is_admitted)
            ask_in(seat);
        else if (subject->snapshot)
            seat->news(seat, subject->snapshot);
    }
}

static void tell_soon(struct xds_subject *subject)
{
    cu_loop_at_turn_end(subject->hub->o.env->loop, &subject->tell);
}

static void hold_leaf(struct xds_subject *subject)
{
    if (!subject->leaf)
        subject->leaf = xds_leaf_hold(subject->hub->o.leaves, subject->service);
}

/* Nobody has a right to what it is now. */
static void stand_for(struct xds_subject *subject, const char *service)
{
    if (subject->service && strcmp(subject->service, service) == 0)
        return;
    free(subject->service);
    subject->service = cu_strdup(service);
    xds_leaf_release(subject->leaf);
    subject->leaf = NULL;
    subject->leaf_number = 0;
    if (!subject->hub->o.is_guarded)
        return;
    xds_snapshot_unref(subject->snapshot);
    subject->snapshot = NULL;
    for (struct xds_seat *seat = subject->seats; seat; seat = seat->next)
        seat->is_admitted = false;
    tell_soon(subject);
}

static void take_snapshot(struct xds_subject *subject, struct xds_snapshot *snapshot)
{
    struct xds_snapshot *old = subject->snapshot;
    if (old && xds_snapshot_equal(old, snapshot)) {
        xds_snapshot_unref(snapshot);
        return;
    }
    subject->snapshot = snapshot;
    xds_snapshot_unref(old);
    cu_count(subject->hub->changes, 1);
    tell_soon(subject);
}

static void make(struct xds_subject *subject, struct xds_proxy *proxy, size_t left_out)
{
    struct xds_hub *hub = subject->hub;
    size_t more = 0;
    stand_for(subject, proxy->service);
    if (!hub->o.is_guarded)
        hold_leaf(subject);
    if (!subject->leaf)
        return; /* nobody is admitted yet */
    subject->leaf_number = xds_leaf_number(subject->leaf);
    if (!xds_leaf_pems(subject->leaf, &proxy->leaf_pem, &proxy->leaf_key_pem))
        return; /* it will be told of */
    struct xds_snapshot *snapshot = xds_proxy_resources(proxy, ++hub->numbers, &more);
    cu_count(hub->builds, 1);
    cu_count(hub->left_out, left_out + more);
    take_snapshot(subject, snapshot);
}

static void look(struct xds_subject *subject)
{
    struct xds_hub *hub = subject->hub;
    const struct xds_view *view = xds_catalog_view(hub->o.catalog);
    struct cu_arena *arena = cu_arena_new(XDS_PROXY_ARENA_BYTES);
    struct cu_mono begun = cu_mono_now();
    struct xds_proxy proxy;
    size_t left_out;
    enum xds_found found =
        xds_view_proxy(view, subject->node, subject->id, arena, &proxy, &left_out);
    xds_needs_set(&subject->needs, view, found == XDS_FOUND ? &proxy : NULL);
    subject->is_no_proxy = found == XDS_NO_PROXY;
    if (found == XDS_FOUND)
        make(subject, &proxy, left_out);
    else if (found == XDS_NO_PROXY)
        tell_soon(subject);
    else if (found == XDS_OVERSIZED)
        cu_log_limited(hub->o.env->log, &hub->said, CU_LOG_ERROR, "proxy.oversized",
                       "node=%s id=%s text=\"more than %d instances in its upstreams: what it has "
                       "stays as it is\"",
                       subject->node, subject->id, XDS_INSTANCES_MAX);
    cu_arena_free(arena);
    cu_sample_add(hub->build_ms, (double)(cu_mono_now().ns - begun.ns) / 1e6);
}

static bool has_news(const struct xds_subject *subject)
{
    return xds_view_has_news(xds_catalog_view(subject->hub->o.catalog), &subject->needs,
                             subject->node, subject->id) ||
           (subject->leaf && xds_leaf_number(subject->leaf) != subject->leaf_number);
}

/* ---- passes ---- */

static void go_on(void *arg)
{
    struct xds_hub *hub = arg;
    if (!hub->pass && hub->has_moved) {
        hub->has_moved = false;
        hub->pass = hub->subjects;
        hub->pass_begun = cu_loop_now(hub->o.env->loop);
    }
    for (unsigned made = 0; hub->pass && made < XDS_PASS_PROXIES; hub->pass = hub->pass->next)
        if (has_news(hub->pass)) {
            look(hub->pass);
            made++;
        }
    if (hub->pass)
        cu_timer_set_ms(&hub->timer, 0);
    else if (hub->has_moved)
        xds_hub_moved(hub);
}

void xds_hub_moved(struct xds_hub *hub)
{
    hub->has_moved = true;
    if (!xds_catalog_is_filled(hub->o.catalog) || cu_timer_is_set(&hub->timer))
        return;
    uint64_t since_ms = cu_mono_ms_between(hub->pass_begun, cu_loop_now(hub->o.env->loop));
    uint64_t wait_ms = since_ms >= XDS_PUSH_GAP_MS ? 0 : XDS_PUSH_GAP_MS - since_ms;
    cu_timer_set_ms(&hub->timer, wait_ms > XDS_GATHER_MS ? wait_ms : XDS_GATHER_MS);
}

/* ---- who is there ---- */

static struct cu_bytes name_of(struct cu_buf *buf, const char *node, const char *id)
{
    cu_buf_text(buf, node);
    cu_buf_u8(buf, 0);
    cu_buf_text(buf, id);
    return cu_buf_bytes(buf);
}

static void forget(void *arg)
{
    struct xds_subject *subject = arg;
    struct xds_hub *hub = subject->hub;
    struct cu_buf buf = {0};
    if (hub->pass == subject)
        hub->pass = subject->next;
    *subject->at = subject->next;
    if (subject->next)
        subject->next->at = subject->at;
    (void)cu_map_del(&hub->by_name, name_of(&buf, subject->node, subject->id));
    cu_buf_deinit(&buf);
    cu_turn_hook_cancel(hub->o.env->loop, &subject->tell);
    cu_timer_close(&subject->linger);
    xds_leaf_release(subject->leaf);
    free(subject->service);
    xds_snapshot_unref(subject->snapshot);
    xds_needs_deinit(&subject->needs);
    free(subject->node);
    free(subject->id);
    free(subject);
}

static struct xds_subject *new_subject(struct xds_hub *hub, struct cu_bytes name, const char *node,
                                       const char *id)
{
    struct xds_subject *subject = cu_alloc(sizeof *subject);
    subject->hub = hub;
    subject->node = cu_strdup(node);
    subject->id = cu_strdup(id);
    subject->next = hub->subjects;
    subject->at = &hub->subjects;
    if (subject->next)
        subject->next->at = &subject->next;
    hub->subjects = subject;
    subject->tell = (struct cu_turn_hook){.fn = tell, .arg = subject};
    cu_timer_init(&subject->linger, hub->o.env->loop, forget, subject);
    (void)cu_map_put(&hub->by_name, name, subject);
    return subject;
}

void xds_hub_join(struct xds_hub *hub, const char *node, const char *id, struct xds_seat *seat)
{
    struct cu_buf buf = {0};
    struct cu_bytes name = name_of(&buf, node, id);
    struct xds_subject *subject = cu_map_get(&hub->by_name, name);
    if (!subject)
        subject = new_subject(hub, name, node, id);
    cu_buf_deinit(&buf);
    cu_timer_cancel(&subject->linger);
    seat->subject = subject;
    seat->is_admitted = false;
    seat->next = subject->seats;
    seat->at = &subject->seats;
    if (seat->next)
        seat->next->at = &seat->next;
    subject->seats = seat;
    if (xds_catalog_is_filled(hub->o.catalog) && has_news(subject))
        look(subject);
    tell_soon(subject);
}

void xds_hub_part(struct xds_seat *seat)
{
    struct xds_subject *subject = seat->subject;
    if (!subject)
        return;
    *seat->at = seat->next;
    if (seat->next)
        seat->next->at = seat->at;
    seat->subject = NULL;
    if (!subject->seats)
        cu_timer_set_ms(&subject->linger, XDS_LINGER_MS);
}

bool xds_hub_admit(struct xds_seat *seat, const char *service, const char *token)
{
    struct xds_subject *subject = seat->subject;
    if (!subject || !subject->service || strcmp(subject->service, service) != 0)
        return false;
    hold_leaf(subject);
    xds_leaf_set_token(subject->leaf, token);
    if (seat->is_admitted)
        return true;
    seat->is_admitted = true;
    if (has_news(subject))
        look(subject);
    tell_soon(subject);
    return true;
}

/* ---- life ---- */

struct xds_hub *xds_hub_new(const struct xds_hub_options *options)
{
    struct xds_hub *hub = cu_alloc(sizeof *hub);
    hub->o = *options;
    cu_timer_init(&hub->timer, options->env->loop, go_on, hub);
    hub->builds = cu_metrics_counter(options->env->metrics, "xds.snapshots");
    hub->changes = cu_metrics_counter(options->env->metrics, "xds.snapshots.changed");
    hub->left_out = cu_metrics_counter(options->env->metrics, "xds.left_out");
    hub->build_ms = cu_metrics_sample(options->env->metrics, "xds.snapshot_ms");
    return hub;
}

void xds_hub_free(struct xds_hub *hub)
{
    if (!hub)
        return;
    while (hub->subjects) {
        CU_ASSERT(!hub->subjects->seats);
        forget(hub->subjects);
    }
    cu_map_deinit(&hub->by_name);
    cu_timer_close(&hub->timer);
    free(hub);
}

struct xds_hub_counts xds_hub_counts(const struct xds_hub *hub)
{
    struct xds_hub_counts counts = {0};
    for (const struct xds_subject *s = hub->subjects; s; s = s->next) {
        counts.proxies++;
        counts.complete += s->snapshot != NULL;
        counts.bytes += s->snapshot ? xds_snapshot_size_bytes(s->snapshot) : 0;
    }
    return counts;
}
