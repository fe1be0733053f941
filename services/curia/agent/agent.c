/* `curia agent`: the daemons of one node as the one agent that people know (agent.md 1). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curia/internal/v1/members.pb-c.h"

#include "common/base/assert.h"
#include "common/daemon/host.h"
#include "services/curia/agent/ask.h"
#include "services/curia/agent/control.h"
#include "services/curia/agent/dump.h"
#include "services/curia/agent/reload.h"
#include "services/curia/agent/settings.h"
#include "services/curia/agent/supervisor.h"
#include "services/curia/command.h"

/* One stop may reach us twice, by our id and by our process group: a second one means it only after
 * this. */
enum { SAME_STOP_MS = 200, LEAVE_MS = 15000 /* agent.md 1 */ };

struct agent {
    const struct cli_args *args;
    struct agent_settings settings;
    struct cu_loop *loop;
    struct cu_log *log;
    struct supervisor *supervisor;
    struct reload *reload;
    struct control *control;
    struct dump *dump;
    struct ask *leave; /* gossipd is telling the pool */
    const char *daemons[SUPERVISOR_CHILDREN];
    struct cu_signal_watch interrupt, terminate, hang_up, user;
    bool is_leaving; /* the signal that ended it stands for a leave */
    bool is_stopping;
    struct cu_mono stop_begun;
    int lock_fd;
};

static int say(const char *text)
{
    (void)fprintf(stderr, "==> %s\n", text);
    return 1;
}

static const char *port_text(const struct cu_conf *conf, const char *key, char text[24])
{
    (void)snprintf(text, 24, "%lld", (long long)cu_conf_int(conf, key));
    return text;
}

/* Layout: agent.md 1. */
static void print_banner(const struct agent *agent)
{
    const struct cu_conf *conf = agent->settings.conf;
    char http[24], https[24], grpc[24], dns[24], lan[24], wan[24];
    bool server = cu_conf_bool(conf, "server");
    if (cu_conf_bool(conf, "log_json"))
        return;
    (void)printf("==> Starting Consul agent...\n"
                 "           Version: '%s'\n"
                 "           Node ID: '%s'\n"
                 "         Node name: '%s'\n"
                 "        Datacenter: '%s' (Segment: '%s')\n"
                 "            Server: %s (Bootstrap: %s)\n"
                 "       Client Addr: [%s] (HTTP: %s, HTTPS: %s, gRPC: %s, DNS: %s)\n"
                 "      Cluster Addr: %s (LAN: %s, WAN: %s)\n"
                 "           Encrypt: Gossip: false, TLS-Outgoing: false, TLS-Incoming: false, "
                 "Auto-Encrypt-TLS: false\n"
                 "\n"
                 "==> Log data will now stream in as it occurs:\n\n",
                 CLI_CONSUL_VERSION, agent->settings.node_id, cu_conf_text(conf, "node_name"),
                 cu_conf_text(conf, "datacenter"), server ? "<all>" : "", server ? "true" : "false",
                 cu_conf_bool(conf, "bootstrap") ? "true" : "false",
                 cu_conf_text(conf, "client_addr"), port_text(conf, "ports.http", http),
                 port_text(conf, "ports.https", https), port_text(conf, "ports.grpc", grpc),
                 port_text(conf, "ports.dns", dns), agent->settings.advertise,
                 port_text(conf, "ports.serf_lan", lan), port_text(conf, "ports.serf_wan", wan));
    (void)fflush(stdout); /* from here on the daemons' lines go to the same place */
}

static void log_warnings(const struct agent *agent)
{
    size_t i;
    json_t *warning;
    json_array_foreach(agent->settings.warnings, i, warning)
        cu_warn(agent->log, "config.warning", "text=\"%s\"", json_string_value(warning));
}

/* Every node is a member; servers run raftd and catalogd; catalogd alone is a reading one
 * (contracts 3.8, 9.3). dnsd and xdsd run where they have a port. */
static void choose_daemons(struct agent *agent)
{
    const struct cu_conf *conf = agent->settings.conf;
    size_t count = 0;
    bool server = cu_conf_bool(conf, "server"), reads = *cu_conf_text(conf, "catalogd.follow");
    agent->daemons[count++] = "gossipd";
    if (server)
        agent->daemons[count++] = "raftd";
    if (server || reads)
        agent->daemons[count++] = "catalogd";
    agent->daemons[count++] = "agentd";
    if (cu_conf_int(conf, "ports.dns") > 0)
        agent->daemons[count++] = "dnsd";
    if (cu_conf_int(conf, "ports.grpc") > 0)
        agent->daemons[count++] = "xdsd";
}

static enum cu_err write_configs(struct agent *agent, const struct cu_conf *conf,
                                 const char *suffix, struct cu_diag *diag)
{
    enum cu_err err = agent_settings_write(&agent->settings, conf, "curia", suffix, diag);
    for (size_t i = 0; !err && agent->daemons[i]; i++)
        err = agent_settings_write(&agent->settings, conf, agent->daemons[i], suffix, diag);
    return err;
}

static enum cu_err write_pid_file(const struct agent *agent, struct cu_diag *diag)
{
    const char *path = cu_conf_text(agent->settings.conf, "pid_file");
    if (!*path)
        return CU_OK;
    FILE *file = fopen(path, "we");
    bool good = file && fprintf(file, "%ld", (long)getpid()) > 0;
    if (file && fclose(file))
        good = false;
    return good ? CU_OK : cu_fail(diag, CU_E_IO, "Could not write pid file: %s", path);
}

static void on_ready(void *arg)
{
    struct agent *agent = arg;
    cu_info(agent->log, "agent.ready", "text=\"Consul agent running!\"");
    cu_host_notify_ready();
}

/* Whether this signal means that the node leaves (agent.md 1). */
static bool means_leave(const struct cu_conf *conf, int signal_number)
{
    bool server = cu_conf_bool(conf, "server");
    if (signal_number == SIGTERM)
        return cu_conf_is_set(conf, "leave_on_terminate") ? cu_conf_bool(conf, "leave_on_terminate")
                                                          : !server;
    return cu_conf_is_set(conf, "skip_leave_on_interrupt")
               ? !cu_conf_bool(conf, "skip_leave_on_interrupt")
               : !server;
}

static const ProtobufCMessage *leave_request(void *arg, const char *daemon)
{
    static const Curia__Internal__V1__LeaveRequest request =
        CURIA__INTERNAL__V1__LEAVE_REQUEST__INIT;
    (void)arg;
    (void)daemon;
    return &request.base;
}

static void on_left(void *arg, enum cu_err err, const char *text)
{
    struct agent *agent = arg;
    ask_free(agent->leave);
    agent->leave = NULL;
    if (err) {
        agent->is_leaving = false; /* not completed */
        cu_warn(agent->log, "agent.leave", "error=\"%s\"", text);
    } else {
        cu_info(agent->log, "agent.leave", "text=\"Graceful exit completed\"");
    }
    supervisor_stop(agent->supervisor);
}

/* The pool hears that this node goes, then its daemons stop (contracts 5.6). */
static void leave(struct agent *agent)
{
    static const char *const gossipd[] = {"gossipd", NULL};
    cu_info(agent->log, "agent.leave", "text=\"Gracefully shutting down agent...\"");
    agent->leave =
        ask_new(&(struct ask_options){.loop = agent->loop,
                                      .run_dir = agent->settings.run_dir,
                                      .daemons = gossipd,
                                      .service = &curia__internal__v1__members__descriptor,
                                      .method = "Leave",
                                      .limit_ms = LEAVE_MS,
                                      .request = leave_request,
                                      .done = on_left,
                                      .arg = agent});
}

static void on_stop_signal(void *arg, int signal_number)
{
    struct agent *agent = arg;
    if (agent->is_stopping && cu_mono_ms_between(agent->stop_begun, cu_mono_now()) < SAME_STOP_MS)
        return;
    if (agent->is_stopping) {
        agent->is_leaving = false; /* a second signal: at once, and not completed */
    } else {
        agent->is_leaving = means_leave(agent->settings.conf, signal_number);
        agent->stop_begun = cu_mono_now();
    }
    agent->is_stopping = true;
    cu_info(agent->log, "agent.stop", "signal=%d", signal_number);
    if (agent->is_leaving && cu_conf_bool(agent->settings.conf, "server")) {
        cu_warn(
            agent->log, "agent.leave",
            "text=\"a server does not leave by itself yet: it stops and stays a voter. If it is "
            "gone for good, run `curia operator raft remove-peer -id=%s` on another server\"",
            agent->settings.node_id);
        agent->is_leaving = false;
    }
    if (agent->is_leaving) {
        leave(agent);
        return;
    }
    ask_free(agent->leave);
    agent->leave = NULL;
    supervisor_stop(agent->supervisor);
}

/* ---- what agentd asks ---- */

static bool begin_reload(void *arg, const char **ret_reason)
{
    struct agent *agent = arg;
    bool is_ready = supervisor_is_ready(agent->supervisor);
    *ret_reason = is_ready ? "a reload is under way" : "the agent is still starting";
    return is_ready && reload_begin(agent->reload);
}

static void on_reloaded(void *arg, const char *failure)
{
    struct agent *agent = arg;
    control_reloaded(agent->control, failure);
}

static void on_line(void *arg, const char *text, size_t len)
{
    struct agent *agent = arg;
    control_line(agent->control, text, len);
}

static enum cu_err open_control(struct agent *agent, struct cu_diag *diag)
{
    return control_new(
        &(struct control_options){.loop = agent->loop,
                                  .log = agent->log,
                                  .run_dir = agent->settings.run_dir,
                                  .node_name = cu_conf_text(agent->settings.conf, "node_name"),
                                  .reload = begin_reload,
                                  .arg = agent},
        &agent->control, diag);
}

static void on_reload_signal(void *arg, int signal_number)
{
    struct agent *agent = arg;
    (void)signal_number;
    if (supervisor_is_ready(agent->supervisor))
        (void)reload_begin(agent->reload); /* it has said so */
    else
        cu_error(agent->log, "agent.reload", "text=\"not reloaded: the agent is still starting\"");
}

static void on_dump_signal(void *arg, int signal_number)
{
    struct agent *agent = arg;
    (void)signal_number;
    dump_begin(agent->dump);
}

static bool has_daemons(const char *folder)
{
    char path[CLI_PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/agentd", folder);
    return !access(path, X_OK);
}

/* The folder of a path to a program; false without a slash in it. */
static bool folder_of(const char *path, char folder[CLI_PATH_BYTES])
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return false;
    (void)snprintf(folder, CLI_PATH_BYTES, "%.*s", (int)(slash - path), path);
    return true;
}

/* The daemons lie beside this program: as it was called (it may be a link into a folder of links),
 * or where it really is. */
static enum cu_err find_bin_dir(char bin_dir[CLI_PATH_BYTES], struct cu_diag *diag)
{
    char self[CLI_PATH_BYTES] = "";
    if (folder_of(program_invocation_name, bin_dir) && has_daemons(bin_dir))
        return CU_OK;
    if (readlink("/proc/self/exe", self, sizeof self - 1) > 0 && folder_of(self, bin_dir) &&
        has_daemons(bin_dir))
        return CU_OK;
    return cu_fail(diag, CU_E_IO, "cannot find the daemons: agentd is not beside %s",
                   *self ? self : program_invocation_name);
}

static enum cu_err lock_run_dir(struct agent *agent, struct cu_diag *diag)
{
    char path[CLI_PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/curia.pid", agent->settings.run_dir);
    return cu_host_lock_pid_file(path, &agent->lock_fd, diag);
}

static void watch_signals(struct agent *agent)
{
    cu_signal_watch_init(&agent->interrupt, agent->loop, SIGINT, on_stop_signal, agent);
    cu_signal_watch_init(&agent->terminate, agent->loop, SIGTERM, on_stop_signal, agent);
    cu_signal_watch_init(&agent->hang_up, agent->loop, SIGHUP, on_reload_signal, agent);
    cu_signal_watch_init(&agent->user, agent->loop, SIGUSR1, on_dump_signal, agent);
}

static void unwatch_signals(struct agent *agent)
{
    cu_signal_watch_close(&agent->interrupt);
    cu_signal_watch_close(&agent->terminate);
    cu_signal_watch_close(&agent->hang_up);
    cu_signal_watch_close(&agent->user);
}

static enum cu_err run(struct agent *agent, struct cu_diag *diag)
{
    char bin_dir[CLI_PATH_BYTES];
    enum cu_err err = find_bin_dir(bin_dir, diag);
    if (err)
        return err;
    agent->loop = cu_loop_new();
    err = open_control(agent, diag);
    if (err)
        return err;
    err = supervisor_new(&(struct supervisor_options){.loop = agent->loop,
                                                      .log = agent->log,
                                                      .bin_dir = bin_dir,
                                                      .run_dir = agent->settings.run_dir,
                                                      .daemons = agent->daemons,
                                                      .on_ready = on_ready,
                                                      .on_line = on_line,
                                                      .arg = agent},
                         &agent->supervisor, diag);
    if (err)
        return err;
    agent->reload = reload_new(&(struct reload_options){.loop = agent->loop,
                                                        .log = agent->log,
                                                        .settings = &agent->settings,
                                                        .args = agent->args,
                                                        .daemons = agent->daemons,
                                                        .ended = on_reloaded,
                                                        .arg = agent});
    agent->dump = dump_new(agent->loop, agent->settings.run_dir, agent->daemons);
    watch_signals(agent);
    supervisor_start(agent->supervisor);
    if (!supervisor_failure(agent->supervisor)) /* else the loop would not end */
        cu_loop_run(agent->loop);
    unwatch_signals(agent);
    if (supervisor_has_left(agent->supervisor))
        agent->is_leaving = true;
    const char *failure = supervisor_failure(agent->supervisor);
    return failure ? cu_fail(diag, CU_E_IO, "%s", failure) : CU_OK;
}

static enum cu_err prepare(struct agent *agent, struct cu_diag *diag)
{
    const struct cu_conf *conf = agent->settings.conf;
    enum cu_log_level level = CU_LOG_INFO;
    enum cu_err err = cu_log_level_parse(cu_conf_text(conf, "log_level"), &level);
    CU_ASSERT(!err); /* the rules have looked at it */
    agent->log = cu_log_new("curia", 1, level, cu_conf_bool(conf, "log_json"));
    choose_daemons(agent);
    err = lock_run_dir(agent, diag);
    if (!err)
        err = write_configs(agent, conf, "", diag);
    if (!err)
        err = write_pid_file(agent, diag);
    return err;
}

static void release(struct agent *agent)
{
    const char *pid_file =
        agent->settings.conf ? cu_conf_text(agent->settings.conf, "pid_file") : "";
    ask_free(agent->leave);
    reload_free(agent->reload);
    dump_free(agent->dump);
    supervisor_free(agent->supervisor);
    control_free(agent->control);
    cu_loop_free(agent->loop);
    cu_log_free(agent->log);
    if (*pid_file && agent->lock_fd >= 0)
        (void)unlink(pid_file); /* it may have been taken away by hand */
    if (agent->lock_fd >= 0)
        (void)close(agent->lock_fd);
    agent_settings_deinit(&agent->settings);
}

int cli_agent(const struct cli_args *args)
{
    struct agent agent = {.args = args, .lock_fd = -1};
    struct cu_diag diag = {0};
    if (args->word_count) {
        char text[CU_DIAG_BYTES];
        (void)snprintf(text, sizeof text, "Unexpected extra arguments: [%s", args->words[0]);
        for (int i = 1; i < args->word_count; i++)
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), " %s", args->words[i]);
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "]");
        return say(text);
    }
    cu_host_prepare("curia");
    enum cu_err err = agent_settings_init(&agent.settings, args, &diag);
    if (!err)
        err = prepare(&agent, &diag);
    if (!err) {
        print_banner(&agent);
        log_warnings(&agent);
        err = run(&agent, &diag);
    }
    int code = err ? say(*diag.text ? diag.text : cu_err_words(err)) : agent.is_leaving ? 0 : 1;
    release(&agent);
    return code;
}
