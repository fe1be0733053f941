#include "tests/unit/services/agentd/io/node_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "services/agentd/core/persisted.h"
#include "tests/lib/suite.h"

struct cu_loop *loop;
struct cu_rpc *rpc;
struct fake_catalog *fake;
struct cu_view *view;
struct cu_metrics *metrics;
struct agent_node *node;
char data_dir[256];

struct agent_service_def file_services[4];
struct agent_check_def file_checks[4];
const char *file_tokens[4] = {"", "", "", ""};
size_t file_service_count, file_check_count;
bool merges_central;

static size_t one_member(void *arg)
{
    (void)arg;
    return 1;
}

struct agent_node_settings settings(void)
{
    static Curia__V1__Node about = {.base = PROTOBUF_C_MESSAGE_INIT(&curia__v1__node__descriptor),
                                    .id = "11111111-2222-3333-4444-555555555555",
                                    .node = FAKE_NODE,
                                    .address = "10.0.0.1",
                                    .datacenter = "dc1"};
    return (struct agent_node_settings){.node = &about,
                                        .output_limit = 4096,
                                        .update_interval_ms = 300000,
                                        .may_run_remote_scripts = true,
                                        .merges_central = merges_central,
                                        .sidecar_ports = {21000, 21255},
                                        .services = file_services,
                                        .service_count = file_service_count,
                                        .checks = file_checks,
                                        .check_count = file_check_count,
                                        .check_tokens = file_tokens};
}

void open_node(void)
{
    struct agent_node_settings now = settings();
    struct cu_diag diag = {0};
    struct agent_node_options options = {.loop = loop,
                                         .metrics = metrics,
                                         .view = view,
                                         .data_dir = data_dir,
                                         .member_count = one_member};
    enum cu_err err = agent_node_open(&options, &now, &node, &diag);
    ck_assert_msg(!err, "%s", diag.text);
}

void open_all(void)
{
    char url[300];
    (void)snprintf(data_dir, sizeof data_dir, "%s", suite_tmpdir());
    (void)snprintf(url, sizeof url, "ipc://%s/catalogd.sock", data_dir);
    loop = cu_loop_new();
    metrics = cu_metrics_new();
    rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = loop,
                                              .daemon = "agentd",
                                              .node_id = "11111111-2222-3333-4444-555555555555",
                                              .node_name = FAKE_NODE,
                                              .datacenter = "dc1"});
    fake = fake_catalog_new(loop, url);
    const char *urls[] = {url};
    view = cu_view_new(&(struct cu_view_options){.rpc = rpc,
                                                 .loop = loop,
                                                 .catalogs = urls,
                                                 .catalog_count = 1,
                                                 .hold_ms = 2000,
                                                 .kept_limit_bytes = 1 << 20});
    FAKE_WAIT(loop, cu_view_is_up(view)); /* what is registered before is answered without it */
    open_node();
}

void close_all(void)
{
    agent_node_close(node);
    cu_view_free(view);
    cu_rpc_free(rpc);
    fake_catalog_free(fake);
    cu_metrics_free(metrics);
    cu_loop_free(loop);
}

void restart(void)
{
    agent_node_close(node);
    open_node();
}

/* ---- what is asked of it ---- */

bool is_done;
enum cu_err done_err;

void done(void *arg, enum cu_err err, const char *text)
{
    (void)arg;
    (void)text;
    is_done = true;
    done_err = err;
}

void wait_done(void)
{
    FAKE_WAIT(loop, is_done);
    is_done = false;
    ck_assert_int_eq(done_err, CU_OK);
}

static struct cu_arena *arena;

struct agent_service_def parse(const char *body, bool is_remote)
{
    struct agent_definition_rules rules = {FAKE_NODE, true, is_remote};
    struct agent_service_def def;
    struct agent_fault fault = {0};
    Curia__V1__ServiceDefinition *definition;
    if (!arena)
        arena = cu_arena_new(1 << 20);
    definition = cu_arena_alloc(arena, sizeof *definition);
    Curia__V1__ServiceDefinition *sidecar = NULL;
    bool good = agent_service_read(cu_bytes_of(body), arena, definition, &fault) &&
                agent_service_define(definition, &rules, arena, &def, &fault) &&
                agent_sidecar_read(definition, &rules, arena, &sidecar, &fault);
    ck_assert_msg(good, "%s", fault.text);
    def.sidecar = sidecar;
    return def;
}

void register_service(const char *body, bool replaces)
{
    struct agent_fault fault;
    struct agent_task *task;
    struct agent_service_def def = parse(body, true);
    ck_assert(agent_node_register(node, &def, "", replaces, done, NULL, &task, &fault));
    wait_done();
}

struct agent_check_def parse_check(const char *body)
{
    struct agent_definition_rules rules = {FAKE_NODE, true, true};
    struct agent_check_def def;
    struct agent_fault fault = {0};
    Curia__V1__CheckSpec *spec;
    if (!arena)
        arena = cu_arena_new(1 << 20);
    spec = cu_arena_alloc(arena, sizeof *spec);
    bool good = agent_check_read(cu_bytes_of(body), arena, spec, &fault) &&
                agent_check_define(spec, &rules, arena, &def, &fault);
    ck_assert_msg(good, "%s", fault.text);
    return def;
}

void register_check(const char *body)
{
    struct agent_fault fault;
    struct agent_task *task;
    struct agent_check_def def = parse_check(body);
    ck_assert(agent_node_register_check(node, &def, "", done, NULL, &task, &fault));
    wait_done();
}

void pass(const char *id, enum agent_status status, const char *note)
{
    struct agent_fault fault;
    struct agent_task *task;
    ck_assert(
        agent_node_update_ttl(node, id, status, cu_bytes_of(note), done, NULL, &task, &fault));
    wait_done();
}

const char *local_status(const char *id)
{
    const struct agent_local_check *check = agent_local_check(agent_node_local(node), id);
    return check ? check->check->status : "";
}

const char *local_output(const char *id)
{
    const struct agent_local_check *check = agent_local_check(agent_node_local(node), id);
    return check ? check->check->output : "";
}

bool remote_is(const char *id, const char *status)
{
    const Curia__V1__Check *check = fake_node_check(&fake->node, id);
    return check && strcmp(check->status, status) == 0;
}

bool file_exists(const char *name)
{
    char path[400];
    (void)snprintf(path, sizeof path, "%s/%s", data_dir, name);
    struct stat status;
    bool exists = stat(path, &status) == 0;
    if (exists)
        ck_assert_uint_eq(status.st_mode & 0777, 0600);
    return exists;
}

bool service_file(const char *id)
{
    char name[AGENT_FILE_NAME_BYTES];
    return file_exists(agent_service_file(id, name));
}

bool check_file(const char *id)
{
    char name[AGENT_FILE_NAME_BYTES];
    return file_exists(agent_check_file(id, name));
}
