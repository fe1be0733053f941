#include "common/daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/conf/address.h"
#include "common/daemon/host.h"
#include "common/daemon/node_id.h"
#include "common/daemon/run.h"
#include "common/daemon/trim.h"

enum { CONFS_KEPT = 10000 }; /* reloads in one life; a configuration is a few KB */

/* ---- command line ---- */

static int usage(const struct cu_daemon *daemon, FILE *to)
{
    (void)fprintf(to,
                  "Usage: %s [options]\n\n  %s\n\nOptions:\n"
                  "  -config-file=F   a configuration file (JSON); may be given several times\n"
                  "  -config-dir=D    a folder of them, in lexical order\n"
                  "  -run-dir=R       where sockets and pid files are (default /run/curia)\n"
                  "  -version         print the version\n",
                  daemon->name, daemon->about);
    return to == stdout ? 0 : 1;
}

/* The value of `-name=value` or `-name value`; NULL: another flag, or no value. */
static const char *flag_value(char **argv, int *at, const char *name)
{
    if (!argv[*at] || argv[*at][0] != '-')
        return NULL;
    const char *arg = argv[*at] + 1;
    if (*arg == '-')
        arg++;
    size_t len = strlen(name);
    if (strncmp(arg, name, len) != 0 || (arg[len] && arg[len] != '='))
        return NULL;
    return arg[len] ? arg + len + 1 : argv[++*at];
}

static bool is_flag(const char *arg, const char *name)
{
    return !strcmp(arg + (arg[0] == '-' && arg[1] == '-'), name);
}

/* -1: go on; else the exit code. */
static int parse_flags(struct cu_run *run, int argc, char **argv)
{
    size_t paths = 0;
    for (int at = 1; at < argc; at++) {
        const char *value;
        if (is_flag(argv[at], "-h") || is_flag(argv[at], "-help"))
            return usage(run->daemon, stdout);
        if (is_flag(argv[at], "-version")) {
            (void)printf("%s v%s\n", run->daemon->name, CU_VERSION);
            return 0;
        }
        if ((value = flag_value(argv, &at, "config-file")) ||
            (value = flag_value(argv, &at, "config-dir"))) {
            if (paths == CU_RUN_PATHS) {
                (void)fprintf(stderr, "%s: more than %d configuration paths\n", run->daemon->name,
                              CU_RUN_PATHS);
                return 1;
            }
            run->paths[paths++] = value;
            continue;
        }
        if ((value = flag_value(argv, &at, "run-dir"))) {
            run->run_dir_flag = value;
            continue;
        }
        if (is_flag(argv[at], "-supervised")) { /* by `curia agent`, which has said the warnings */
            run->is_supervised = true;
            continue;
        }
        (void)fprintf(stderr, "%s: not understood: %s\n", run->daemon->name,
                      at < argc ? argv[at] : argv[argc - 1]);
        return usage(run->daemon, stderr);
    }
    return -1;
}

/* ---- configuration ---- */

enum cu_err cu_run_load(struct cu_run *run, const char *path, struct cu_conf **ret_conf,
                        struct cu_diag *diag)
{
    const char *one[] = {path, NULL};
    struct cu_conf_sources sources = {.paths = path ? one : run->paths};
    json_t *warnings = NULL, *warning;
    enum cu_err err = cu_conf_load(&sources, ret_conf, &warnings, diag);
    if (err)
        return err;
    size_t i;
    json_array_foreach(run->is_supervised ? NULL : warnings, i, warning)
        cu_warn(run->env.log, "config.warning", "text=\"%s\"", json_string_value(warning));
    json_decref(warnings);
    return CU_OK;
}

/* Older configurations stay: the daemon may have borrowed strings from them. */
static void use_conf(struct cu_run *run, struct cu_conf *conf)
{
    run->kept = cu_realloc(run->kept, (run->kept_count + 1) * sizeof *run->kept);
    run->kept[run->kept_count++] = conf;
    run->env.conf = conf;
}

static enum cu_log_level level_of(const struct cu_conf *conf)
{
    enum cu_log_level level = CU_LOG_INFO;
    enum cu_err err = cu_log_level_parse(cu_conf_text(conf, "log_level"), &level);
    CU_ASSERT(!err); /* the rules have looked at it */
    return level;
}

enum cu_err cu_run_reload(struct cu_run *run, struct cu_diag *diag)
{
    struct cu_conf *conf = NULL;
    if (run->kept_count == CONFS_KEPT)
        return cu_fail(diag, CU_E_OVERLOADED, "too many reloads: restart %s", run->daemon->name);
    enum cu_err err = cu_run_load(run, NULL, &conf, diag);
    if (!err && run->daemon->check)
        err = run->daemon->check(conf, diag);
    if (err) {
        cu_conf_free(conf);
        return err;
    }
    use_conf(run, conf);
    cu_log_set_level(run->env.log, level_of(conf));
    if (run->daemon->reload)
        run->daemon->reload(run->state, conf);
    cu_info(run->env.log, "daemon.reload", "level=%s", cu_conf_text(conf, "log_level"));
    return CU_OK;
}

void cu_run_drain(struct cu_run *run)
{
    if (run->is_draining)
        return;
    run->is_draining = true;
    cu_info(run->env.log, "daemon.drain", "open_calls=%zu", cu_rpc_open_calls(run->env.rpc));
    cu_rpc_drain(run->env.rpc);
    if (run->daemon->drain)
        run->daemon->drain(run->state);
}

/* ---- what the daemon itself calls ---- */

static void tell_ready(struct cu_run *run)
{
    if (!run->is_ready || !run->is_listening)
        return;
    cu_info(run->env.log, "daemon.ready", "pid=%ld after_ms=%llu", (long)getpid(),
            (unsigned long long)cu_mono_ms_between(run->started, cu_loop_now(run->env.loop)));
    cu_host_notify_ready();
}

void cu_env_ready(struct cu_env *env)
{
    struct cu_run *run = (struct cu_run *)env;
    if (run->is_ready)
        return;
    run->is_ready = true;
    tell_ready(run); /* within start(): later, once the socket is there */
}

static void end_failed(struct cu_run *run, const char *fmt, va_list args) CU_PRINTF(2, 0);

static void end_failed(struct cu_run *run, const char *fmt, va_list args)
{
    struct cu_diag diag;
    (void)vsnprintf(diag.text, sizeof diag.text, fmt, args);
    cu_error(run->env.log, "daemon.failed", "text=\"%s\"", diag.text);
    (void)fprintf(stderr, "%s: %s\n", run->daemon->name, diag.text);
    run->has_failed = true;
    cu_loop_stop(run->env.loop);
}

void cu_env_fail(struct cu_env *env, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    end_failed((struct cu_run *)env, fmt, args);
    va_end(args);
}

void cu_env_give_up(struct cu_env *env, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    ((struct cu_run *)env)->gave_up = true;
    end_failed((struct cu_run *)env, fmt, args);
    va_end(args);
}

void cu_env_leave(struct cu_env *env)
{
    struct cu_run *run = (struct cu_run *)env;
    cu_info(env->log, "daemon.left", "text=\"the node has left the pool\"");
    run->has_left = true;
    cu_loop_stop(env->loop);
}

char *cu_env_local_url(const struct cu_env *env, const char *daemon)
{
    char url[4200];
    (void)snprintf(url, sizeof url, "ipc://%s/%s.sock", env->run_dir, daemon);
    return cu_strdup(url);
}

/* ---- life ---- */

static void on_stop_signal(void *arg, int signal_number)
{
    struct cu_run *run = arg;
    cu_info(run->env.log, "daemon.stop", "signal=%d", signal_number);
    cu_loop_stop(run->env.loop);
}

static void on_reload_signal(void *arg, int signal_number)
{
    struct cu_run *run = arg;
    struct cu_diag diag = {0};
    (void)signal_number;
    if (cu_run_reload(run, &diag))
        cu_error(run->env.log, "daemon.reload_failed", "text=\"%s\"", diag.text);
}

static enum cu_err read_conf(struct cu_run *run, struct cu_diag *diag)
{
    struct cu_conf *conf = NULL;
    enum cu_err err = cu_run_load(run, NULL, &conf, diag);
    if (err)
        return err;
    use_conf(run, conf);
    cu_log_free(run->env.log);
    run->env.log = cu_log_new(run->daemon->name, 1, level_of(conf), cu_conf_bool(conf, "log_json"));
    return run->daemon->check ? run->daemon->check(conf, diag) : CU_OK;
}

static enum cu_err take_place(struct cu_run *run, struct cu_diag *diag)
{
    const char *data_dir = cu_conf_text(run->env.conf, "data_dir");
    const char *run_dir =
        run->run_dir_flag ? run->run_dir_flag : cu_conf_text(run->env.conf, "run_dir");
    if (!*data_dir)
        return cu_fail(diag, CU_E_INVALID, "data_dir cannot be empty");
    enum cu_err err = cu_host_make_dir(data_dir, 0755, diag);
    if (!err)
        err = cu_host_make_dir(run_dir, 0750, diag);
    if (err)
        return err;
    run->data_dir = realpath(data_dir, NULL); /* sockets are named by whole paths */
    run->run_dir = realpath(run_dir, NULL);
    if (!run->data_dir || !run->run_dir)
        return cu_fail(diag, CU_E_IO, "cannot find %s: %s", run->data_dir ? run_dir : data_dir,
                       strerror(errno));
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/%s.pid", run->run_dir, run->daemon->name);
    return cu_host_lock_pid_file(path, &run->lock_fd, diag);
}

static enum cu_err identify(struct cu_run *run, struct cu_diag *diag)
{
    const struct cu_conf *conf = run->env.conf;
    char id[CU_UUID_BYTES], ip[CU_IP_BYTES];
    enum cu_err err = CU_OK;
    const char *given = cu_conf_text(conf, "node_id"), *client = cu_conf_text(conf, "client_addr");
    if (*given)
        (void)snprintf(id, sizeof id, "%s", given);
    else
        err = cu_node_id(run->data_dir, id, diag);
    if (!err)
        err = cu_conf_advertise(conf, ip, diag);
    if (err)
        return err;
    run->node_id = cu_strdup(id);
    run->advertise_address = cu_strdup(ip);
    client += strspn(client, " ");
    run->client_address = cu_strdup(client);
    run->client_address[strcspn(run->client_address, " ")] = '\0';
    run->env.data_dir = run->data_dir;
    run->env.run_dir = run->run_dir;
    run->env.node_id = run->node_id;
    run->env.advertise_address = run->advertise_address;
    run->env.client_address = run->client_address;
    run->env.bind_address = cu_conf_text(conf, "bind_addr");
    run->env.node_name = cu_conf_text(conf, "node_name");
    run->env.datacenter = cu_conf_text(conf, "datacenter");
    return CU_OK;
}

static void make_env(struct cu_run *run)
{
    struct cu_env *env = &run->env;
    env->loop = cu_loop_new();
    env->metrics = cu_metrics_new();
    bool by_nng = !strcmp(cu_conf_text(env->conf, "bus.local"), "nng");
    env->rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = env->loop,
                                                   .log = env->log,
                                                   .metrics = env->metrics,
                                                   .daemon = run->daemon->name,
                                                   .node_id = env->node_id,
                                                   .node_name = env->node_name,
                                                   .datacenter = env->datacenter,
                                                   .feature_level = CU_FEATURE_LEVEL,
                                                   .local = by_nng ? CU_LOCAL_NNG : CU_LOCAL_LOOP});
    cu_run_add_metrics(run);
    cu_rpc_add_service(env->rpc, &cu_daemon_service, run);
}

static enum cu_err start(struct cu_run *run, struct cu_diag *diag)
{
    enum cu_err err = run->daemon->start(&run->env, &run->state, diag);
    if (err)
        return err;
    char *url = cu_env_local_url(&run->env, run->daemon->name);
    err = cu_rpc_listen(run->env.rpc, url, diag);
    free(url);
    if (err) {
        run->daemon->stop(run->state);
        run->state = NULL;
        return err;
    }
    run->is_listening = true;
    tell_ready(run);
    return CU_OK;
}

static void run_until_stopped(struct cu_run *run)
{
    struct cu_signal_watch stops[2], reload;
    struct cu_trim trim;
    cu_signal_watch_init(&stops[0], run->env.loop, SIGINT, on_stop_signal, run);
    cu_signal_watch_init(&stops[1], run->env.loop, SIGTERM, on_stop_signal, run);
    cu_signal_watch_init(&reload, run->env.loop, SIGHUP, on_reload_signal, run);
    cu_trim_start(&trim, run->env.loop, run->env.metrics);
    if (!run->has_failed)
        cu_loop_run(run->env.loop);
    cu_trim_stop(&trim);
    run->daemon->stop(run->state);
    run->state = NULL;
    cu_signal_watch_close(&stops[0]); /* not before: a second signal must not cut the stop short */
    cu_signal_watch_close(&stops[1]);
    cu_signal_watch_close(&reload);
}

static void release(struct cu_run *run)
{
    cu_rpc_free(run->env.rpc);
    cu_metrics_free(run->env.metrics);
    cu_loop_free(run->env.loop);
    cu_log_free(run->env.log);
    for (size_t i = 0; i < run->kept_count; i++)
        cu_conf_free(run->kept[i]);
    free(run->kept);
    free(run->data_dir);
    free(run->run_dir);
    free(run->node_id);
    free(run->advertise_address);
    free(run->client_address);
    if (run->lock_fd >= 0)
        (void)close(
            run->lock_fd); /* lets the lock go; the file stays, so that nobody locks another */
}

int cu_daemon_main(const struct cu_daemon *daemon, int argc, char **argv)
{
    struct cu_run run = {.daemon = daemon, .lock_fd = -1, .started = cu_mono_now()};
    struct cu_diag diag = {0};
    int code = parse_flags(&run, argc, argv);
    if (code >= 0)
        return code;
    cu_host_prepare(daemon->name);
    run.env.log = cu_log_new(daemon->name, 1, CU_LOG_INFO, false); /* until the files are read */
    enum cu_err err = read_conf(&run, &diag);
    if (!err)
        err = take_place(&run, &diag);
    if (!err)
        err = identify(&run, &diag);
    if (!err) {
        make_env(&run);
        err = start(&run, &diag);
    }
    if (!err)
        run_until_stopped(&run);
    else
        (void)fprintf(stderr, "%s: %s\n", daemon->name, *diag.text ? diag.text : cu_err_words(err));
    release(&run);
    if (run.has_left)
        return CU_EXIT_LEFT;
    return run.gave_up ? CU_EXIT_GAVE_UP : err || run.has_failed ? 1 : 0;
}
