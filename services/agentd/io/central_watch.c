#include "services/agentd/io/central_watch.h"

#include <stdlib.h>

#include "common/base/assert.h"

enum { WAIT_MS = 600 * 1000, RETRY_MS = 1000 };

/* The entries of one kind. */
struct kind {
    struct agent_central_watch *watch;
    const char *name;
    struct cu_view_read read;
    struct cu_timer retry;
    Curia__V1__ConfigListReply *entries; /* NULL: not known yet */
    bool holds_sync, has_failed;
};

struct agent_central_watch {
    struct agent_central_options o;
    struct kind kinds[2];
    struct agent_central central; /* points into what the kinds have */
    bool has_begun;
};

enum { PROXIES, SERVICES };

/* What the view keeps of an answer: the message. */
static unsigned keep(const ProtobufCMessage *reply, unsigned format, struct cu_buf *out)
{
    size_t size = protobuf_c_message_get_packed_size(reply);
    (void)format;
    if (size)
        (void)protobuf_c_message_pack(reply, cu_buf_extend(out, size));
    return 0;
}

static const struct cu_view_method list = {&curia__v1__config__descriptor, "List", keep};

static void come(void *arg, const struct cu_view_answer *answer);

/* Until they are known, but not again and again while there is no catalogd to write to either. */
static void hold_sync(struct kind *kind)
{
    struct agent_central_watch *watch = kind->watch;
    if (kind->entries || kind->holds_sync || (kind->has_failed && !cu_view_is_up(watch->o.view)))
        return;
    kind->holds_sync = true;
    agent_sync_pause(watch->o.sync);
}

static void ask(struct kind *kind, uint64_t index)
{
    Curia__V1__ConfigListRequest request = CURIA__V1__CONFIG_LIST_REQUEST__INIT;
    request.kind = (char *)kind->name;
    hold_sync(kind);
    kind->read =
        (struct cu_view_read){.method = &list,
                              .request = &request.base,
                              .mode = CU_VIEW_DEFAULT,
                              .index = index,
                              .wait_ms = index ? WAIT_MS : 0,
                              .token = agent_tokens_get(kind->watch->o.tokens, AGENT_TOKEN_AGENT),
                              .done = come,
                              .arg = kind};
    cu_view_read(kind->watch->o.view, &kind->read);
}

static void ask_again(void *arg)
{
    ask(arg, 0);
}

static void let_sync_go(struct kind *kind)
{
    if (!kind->holds_sync)
        return;
    kind->holds_sync = false;
    agent_sync_resume(kind->watch->o.sync);
}

static void take(struct kind *kind, Curia__V1__ConfigListReply *entries)
{
    struct agent_central_watch *watch = kind->watch;
    struct kind *kinds = watch->kinds;
    Curia__V1__ConfigListReply *old = kind->entries;
    kind->entries = entries;
    if (kinds[PROXIES].entries && kinds[SERVICES].entries) {
        const Curia__V1__ConfigListReply *proxies = kinds[PROXIES].entries;
        watch->central = (struct agent_central){
            .proxy_defaults = proxies->n_entries ? proxies->entries[0]->proxy_defaults : NULL,
            .services = kinds[SERVICES].entries->entries,
            .service_count = kinds[SERVICES].entries->n_entries};
        watch->o.changed(watch->o.arg);
        let_sync_go(&kinds[PROXIES]);
        let_sync_go(&kinds[SERVICES]);
    }
    if (old)
        curia__v1__config_list_reply__free_unpacked(old, NULL);
}

/* Without a catalogd, or without the right to read them, proxies go on as they are. */
static void come(void *arg, const struct cu_view_answer *answer)
{
    struct kind *kind = arg;
    Curia__V1__ConfigListReply *entries =
        answer->err
            ? NULL
            : curia__v1__config_list_reply__unpack(NULL, answer->body->len, answer->body->bytes);
    if (!entries) {
        kind->has_failed = true;
        let_sync_go(&kind->watch->kinds[PROXIES]);
        let_sync_go(&kind->watch->kinds[SERVICES]);
        cu_timer_set_ms(&kind->retry, RETRY_MS);
        return;
    }
    take(kind, entries);
    ask(kind, answer->index ? answer->index : 1);
}

void agent_central_watch_begin(struct agent_central_watch *watch)
{
    if (watch->has_begun)
        return;
    watch->has_begun = true;
    ask(&watch->kinds[PROXIES], 0);
    ask(&watch->kinds[SERVICES], 0);
}

void agent_central_watch_restart(struct agent_central_watch *watch)
{
    for (size_t i = 0; watch->has_begun && i < CU_COUNT(watch->kinds); i++) {
        cu_view_cancel(&watch->kinds[i].read);
        cu_timer_cancel(&watch->kinds[i].retry);
        ask(&watch->kinds[i], 0);
    }
}

const struct agent_central *agent_central_watch_get(const struct agent_central_watch *watch)
{
    return watch->kinds[PROXIES].entries && watch->kinds[SERVICES].entries ? &watch->central : NULL;
}

struct agent_central_watch *agent_central_watch_new(const struct agent_central_options *options)
{
    static const char *const names[] = {
        [PROXIES] = "proxy-defaults", [SERVICES] = "service-defaults"};
    struct agent_central_watch *watch = cu_alloc(sizeof *watch);
    watch->o = *options;
    for (size_t i = 0; i < CU_COUNT(names); i++) {
        watch->kinds[i].watch = watch;
        watch->kinds[i].name = names[i];
        cu_timer_init(&watch->kinds[i].retry, options->loop, ask_again, &watch->kinds[i]);
    }
    return watch;
}

void agent_central_watch_free(struct agent_central_watch *watch)
{
    if (!watch)
        return;
    for (size_t i = 0; i < CU_COUNT(watch->kinds); i++) {
        cu_view_cancel(&watch->kinds[i].read);
        cu_timer_close(&watch->kinds[i].retry);
        if (watch->kinds[i].entries)
            curia__v1__config_list_reply__free_unpacked(watch->kinds[i].entries, NULL);
    }
    free(watch);
}
