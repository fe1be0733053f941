#include "services/catalogd/io/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/register.h"
#include "services/catalogd/core/roster.h"
#include "services/catalogd/io/gossip.h"

enum {
    PROPOSE_MS = 10 * 1000,
    LIST_MS = 10 * 1000,
    FOLLOW_MS = 60 * 1000,
    SLACK_MS = 10 * 1000,
    LOOK_ARENA_BYTES = 64 * 1024 * 1024,
    SWEEP_MAX = 64, /* nodes beyond their time that are removed in one round */
};

/* A member that is being looked at, or a node that gossip has not shown for too long. */
struct task {
    struct cu_buf packed; /* the member */
    const char *name;     /* in the arena of the look */
    enum catalog_member_deed deed;
    Curia__Internal__V1__RegisterCommand *command;
    uint64_t node_modify_index; /* what the command was made from; 0: there was no node */
};

struct catalog_reconciler {
    struct catalog_shell *shell;
    struct catalog_roster roster;
    struct catalog_member_self self;
    uint64_t reconnect_ms;
    bool is_on, is_full; /* is_full: look for nodes that gossip does not show, too */
    struct cu_call *call;
    struct cu_timer retry;
    struct cu_log_limit said;
    unsigned writes; /* under way */
    unsigned reign;  /* counts the grants */

    /* one look */
    bool is_looking, is_sweeping;
    unsigned looked_in; /* reign: what was seen under an earlier grant is not acted on */
    struct catalog_read_job job;
    struct cu_arena *arena;
    struct task tasks[CATALOG_RECONCILE_BATCH];
    size_t count;
    const char **nodes; /* of a sweep: all that gossip has put there, in the arena */
    size_t node_count, node_cap;
    enum cu_err err;
};

static void go_on(struct catalog_reconciler *r);

static void again_soon(struct catalog_reconciler *r)
{
    if (r->is_on && !cu_timer_is_set(&r->retry))
        cu_timer_set_ms(&r->retry, CATALOG_RECONCILE_RETRY_MS);
}

/* ---- the feed ---- */

static void ask(struct catalog_reconciler *r);

static void answered(void *arg, const struct cu_answer *answer)
{
    struct catalog_reconciler *r = arg;
    r->call = NULL;
    if (answer->err) { /* gossipd may be gone: asked again when it is there, or in a while */
        again_soon(r);
        return;
    }
    if (r->roster.has_list)
        catalog_roster_take_records(
            &r->roster, (const Curia__Internal__V1__MembersFollowReply *)answer->message);
    else
        catalog_roster_take_list(&r->roster,
                                 (const Curia__Internal__V1__MembersListReply *)answer->message);
    ask(r);
    go_on(r);
}

static void ask(struct catalog_reconciler *r)
{
    static const Curia__Internal__V1__MembersListRequest list =
        CURIA__INTERNAL__V1__MEMBERS_LIST_REQUEST__INIT;
    Curia__Internal__V1__MembersFollowRequest follow =
        CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REQUEST__INIT;
    if (!r->is_on || r->call)
        return;
    follow.feed_id = (ProtobufCBinaryData){r->roster.feed_id.len, r->roster.feed_id.data};
    follow.after = r->roster.after;
    follow.wait_ms = FOLLOW_MS;
    r->call = r->roster.has_list
                  ? catalog_gossip_call(r->shell->gossip, "Follow", &follow.base,
                                        FOLLOW_MS + SLACK_MS, answered, r)
                  : catalog_gossip_call(r->shell->gossip, "List", &list.base, LIST_MS, answered, r);
}

/* ---- a look, on a worker ---- */

static enum cu_err decide(struct catalog_reconciler *r, const struct catalog_view *view,
                          struct task *task)
{
    struct catalog_member_seen seen;
    catalog_member *member = curia__internal__v1__member__unpack(
        cu_arena_allocator(r->arena), task->packed.len, task->packed.data);
    if (!member)
        return CU_E_TOO_LARGE;
    task->name = member->name;
    enum cu_err err = catalog_member_look(view, member->name, r->arena, &seen);
    if (err)
        return err;
    task->node_modify_index = seen.node ? seen.node->modify_index : 0;
    return catalog_member_decide(&r->self, member, &seen, r->arena, &task->deed, &task->command);
}

static bool see_node(void *arg, const struct catalog_row *row)
{
    struct catalog_reconciler *r = arg;
    Curia__V1__Node *node = NULL;
    r->err = catalog_view_unpack(CATALOG_NODES, row, r->arena, &node);
    if (r->err)
        return false;
    if (r->node_count == r->node_cap) {
        size_t cap = r->node_cap ? 2 * r->node_cap : 256;
        const char **grown = cu_arena_alloc(r->arena, cap * sizeof *grown);
        if (grown && r->node_count)
            memcpy(grown, r->nodes, r->node_count * sizeof *grown);
        r->nodes = grown;
        r->node_cap = cap;
    }
    if (!r->nodes)
        r->err = CU_E_TOO_LARGE;
    else
        r->nodes[r->node_count++] = node->node;
    return !r->err;
}

/* Only those that gossip has put there; others are somebody else's to remove. */
static enum cu_err keep_gossips(struct catalog_reconciler *r, const struct catalog_view *view)
{
    size_t kept = 0;
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < r->node_count; i++) {
        struct cu_bytes key = catalog_key_of_node(r->arena, r->nodes[i], CATALOG_SERF_CHECK);
        Curia__V1__Check *serf = NULL;
        err = catalog_view_get(view, CATALOG_CHECKS, key, r->arena, &serf);
        if (!err && serf)
            r->nodes[kept++] = r->nodes[i];
    }
    r->node_count = kept;
    return err;
}

static enum cu_err sweep(struct catalog_reconciler *r, const struct catalog_view *view)
{
    struct cu_bytes all = {NULL, 0};
    enum cu_err err =
        view->backend->scan(view->backend->context, CATALOG_NODES, all, all, see_node, r);
    if (!err)
        err = r->err;
    return err ? err : keep_gossips(r, view);
}

static void look(void *arg, const struct catalog_backend *backend, const struct cu_diag *diag)
{
    struct catalog_reconciler *r = arg;
    struct catalog_bookmark bookmark;
    (void)diag; /* the next look says it again, to whoever reads for a user */
    r->err = backend ? catalog_bookmark_read(backend, r->arena, &bookmark) : CU_E_IO;
    if (r->err)
        return;
    struct catalog_view view = catalog_view_of(backend, &bookmark);
    for (size_t i = 0; !r->err && i < r->count; i++)
        r->err = decide(r, &view, &r->tasks[i]);
    if (!r->err && r->is_sweeping)
        r->err = sweep(r, &view);
}

/* ---- writes ---- */

struct write {
    struct catalog_reconciler *r;
    char name[]; /* of the member */
};

static void written(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
    struct write *write = arg;
    struct catalog_reconciler *r = write->r;
    bool is_done = !err && outcome->fate == CATALOG_APPLIED;
    r->writes--;
    if (is_done && outcome->result->error)
        cu_log_limited(
            r->shell->env->log, &r->said, CU_LOG_WARN, "member.refused",
            "name=%s text=\"%s\" advice=\"should it have begun anew, without its data, take "
            "the old one out: curl -X PUT -d '{\"Node\":\"%s\"}' "
            "http://localhost:8500/v1/catalog/deregister\"",
            write->name, outcome->result->text, write->name);
    if (is_done)
        catalog_roster_settled(&r->roster, write->name);
    else if (r->is_on)
        catalog_roster_wait(&r->roster, write->name);
    free(write);
    if (!is_done)
        again_soon(r);
    else if (r->writes == 0)
        go_on(r);
}

static void propose(struct catalog_reconciler *r, const char *name,
                    const Curia__Internal__V1__Command *command)
{
    struct catalog_shell *shell = r->shell;
    size_t len = strlen(name);
    struct write *write = cu_alloc(sizeof *write + len + 1);
    write->r = r;
    memcpy(write->name, name, len + 1);
    r->writes++;
    (void)catalog_write_start(shell, command,
                              cu_mono_add_ms(cu_loop_now(shell->env->loop), PROPOSE_MS), true,
                              written, write);
}

static void init_command(struct catalog_reconciler *r, Curia__Internal__V1__Origin *origin,
                         Curia__Internal__V1__Command *command)
{
    curia__internal__v1__origin__init(origin);
    origin->node = (char *)(uintptr_t)r->self.name;
    origin->daemon = (char *)(uintptr_t) "catalogd";
    curia__internal__v1__command__init(command);
    command->origin = origin;
    command->actor = (char *)(uintptr_t) "anonymous";
    command->cause = (char *)(uintptr_t) "gossip";
}

static void deregister(struct catalog_reconciler *r, const char *name, const char *reason)
{
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    Curia__Internal__V1__DeregisterCommand body = CURIA__INTERNAL__V1__DEREGISTER_COMMAND__INIT;
    init_command(r, &origin, &command);
    body.node = (char *)(uintptr_t)name;
    command.deregister = &body;
    command.reason = (char *)(uintptr_t)reason;
    cu_info(r->shell->env->log, "member.deregister", "name=%s reason=\"%s\"", name, reason);
    propose(r, name, &command);
}

/* What the node was when it was looked at is named: its agent may have changed it meanwhile. */
static void do_register(struct catalog_reconciler *r, const struct task *task)
{
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    Curia__Internal__V1__Checked node = CURIA__INTERNAL__V1__CHECKED__INIT, *checked[] = {&node};
    struct cu_bytes key = catalog_key_of_node(r->arena, task->name, NULL);
    init_command(r, &origin, &command);
    node.table = (char *)(uintptr_t)catalog_table_name(CATALOG_NODES);
    node.key = (ProtobufCBinaryData){key.len, (uint8_t *)(uintptr_t)key.data};
    node.modify_index = task->node_modify_index;
    command.register_node = task->command;
    if (key.data && !task->command->skip_node_update) {
        command.checked = checked;
        command.n_checked = 1;
    }
    cu_info(r->shell->env->log, "member.register", "name=%s health=%s", task->name,
            task->command->checks[0]->status);
    propose(r, task->name, &command);
}

/* Servers that each claim to begin a cluster: all but one are wrong, and stay out. */
static bool is_rival(struct catalog_reconciler *r, const struct task *task)
{
    catalog_member *member =
        curia__internal__v1__member__unpack(NULL, task->packed.len, task->packed.data);
    const char *other = member ? catalog_roster_rival(&r->roster, &r->self, member) : NULL;
    if (other)
        cu_log_limited(r->shell->env->log, &r->said, CU_LOG_ERROR, "member.bootstrap",
                       "name=%s other=%s text=\"two servers are in bootstrap mode: only one may "
                       "be, the other is not added\"",
                       member->name, other);
    curia__internal__v1__member__free_unpacked(member, NULL);
    return other != NULL;
}

static void do_task(struct catalog_reconciler *r, const struct task *task)
{
    switch (task->deed) {
    case CATALOG_MEMBER_KEEP:
        catalog_roster_settled(&r->roster, task->name);
        break;
    case CATALOG_MEMBER_REGISTER:
        if (!is_rival(r, task))
            do_register(r, task);
        break;
    case CATALOG_MEMBER_DEREGISTER:
        deregister(r, task->name, "the member has left");
        break;
    }
}

/* Contracts 5.5: a node that a complete feed has not shown for the reconnect time. */
static void do_sweep(struct catalog_reconciler *r)
{
    uint64_t lease_ms = catalog_shell_facts(r->shell)->lease_ms;
    size_t removed = 0;
    for (size_t i = 0; r->roster.is_complete && i < r->node_count; i++) {
        const char *name = r->nodes[i];
        if (catalog_roster_knows(&r->roster, name) || catalog_name_equal(name, r->self.name))
            continue;
        uint64_t since_ms = catalog_roster_missed(&r->roster, name, lease_ms);
        if (lease_ms - since_ms > r->reconnect_ms && removed++ < SWEEP_MAX)
            deregister(r, name, "gossip has not shown the node for the reconnect time");
    }
    if (r->roster.is_complete)
        catalog_roster_end_round(&r->roster, lease_ms);
}

/* ---- a look, on the loop ---- */

static void wait_again(struct catalog_reconciler *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->tasks[i].name)
            catalog_roster_wait(&r->roster, r->tasks[i].name);
    r->is_full = r->is_full || r->is_sweeping || r->count > 0; /* whose name is not known */
    again_soon(r);
}

static void looked(void *arg)
{
    struct catalog_reconciler *r = arg;
    bool is_of_now = r->is_on && r->looked_in == r->reign;
    if (is_of_now && r->err)
        wait_again(r);
    for (size_t i = 0; is_of_now && !r->err && i < r->count; i++)
        do_task(r, &r->tasks[i]);
    if (is_of_now && !r->err && r->is_sweeping)
        do_sweep(r);
    r->is_looking = false;
    if (!is_of_now || !r->err)
        go_on(r);
}

static void gather(struct catalog_reconciler *r)
{
    const catalog_member *member;
    r->count = 0;
    while (r->count < CATALOG_RECONCILE_BATCH && (member = catalog_roster_next(&r->roster))) {
        struct task *task = &r->tasks[r->count++];
        cu_buf_clear(&task->packed);
        size_t len = curia__internal__v1__member__get_packed_size(member);
        (void)curia__internal__v1__member__pack(member, cu_buf_extend(&task->packed, len));
        task->name = NULL;
        task->command = NULL;
        task->deed = CATALOG_MEMBER_KEEP;
    }
}

/* Looks at the next of those that wait, unless the last ones are still being written. */
static void go_on(struct catalog_reconciler *r)
{
    bool has_work = r->roster.waiting > 0 || (r->is_full && r->roster.has_list);
    if (!r->is_on || r->is_looking || r->writes > 0 || !has_work)
        return;
    gather(r);
    r->is_sweeping = r->is_full && r->roster.waiting == 0;
    if (r->is_sweeping)
        r->is_full = false;
    r->nodes = NULL;
    r->node_count = r->node_cap = 0;
    r->is_looking = true;
    r->looked_in = r->reign;
    cu_arena_reset(r->arena);
    catalog_readers_submit(r->shell->readers, &r->job);
}

static void retry(void *arg)
{
    struct catalog_reconciler *r = arg;
    ask(r);
    go_on(r);
}

/* ---- the duty ---- */

void catalog_reconcile_gossip_up(void *context)
{
    struct catalog_shell *shell = context;
    ask(shell->reconciler);
}

void catalog_reconcile_start(void *context)
{
    struct catalog_shell *shell = context;
    struct catalog_reconciler *r = shell->reconciler;
    catalog_roster_deinit(&r->roster);
    r->reign++;
    r->is_on = r->is_full = true;
    ask(r);
}

void catalog_reconcile_all(void *context)
{
    struct catalog_shell *shell = context;
    struct catalog_reconciler *r = shell->reconciler;
    r->is_full = true;
    catalog_roster_wait_all(&r->roster);
    go_on(r);
}

void catalog_reconcile_stop(void *context)
{
    struct catalog_shell *shell = context;
    struct catalog_reconciler *r = shell->reconciler;
    r->is_on = false;
    cu_timer_cancel(&r->retry);
    if (r->call)
        cu_call_cancel(r->call);
    r->call = NULL;
}

struct catalog_reconciler *catalog_reconciler_new(struct catalog_shell *shell)
{
    struct catalog_reconciler *r = cu_alloc(sizeof *r);
    r->shell = shell;
    r->self = (struct catalog_member_self){shell->env->node_name, shell->env->datacenter};
    r->reconnect_ms = (uint64_t)cu_conf_ms(shell->env->conf, "reconnect_timeout");
    r->arena = cu_arena_new(LOOK_ARENA_BYTES);
    r->job = (struct catalog_read_job){.run = look, .done = looked, .arg = r};
    cu_timer_init(&r->retry, shell->env->loop, retry, r);
    return r;
}

void catalog_reconciler_free(struct catalog_reconciler *r)
{
    if (!r)
        return;
    if (r->call)
        cu_call_cancel(r->call);
    cu_timer_close(&r->retry);
    catalog_roster_deinit(&r->roster);
    for (size_t i = 0; i < CATALOG_RECONCILE_BATCH; i++)
        cu_buf_deinit(&r->tasks[i].packed);
    cu_arena_free(r->arena);
    free(r);
}
