#include "common/daemon/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "curia/internal/v1/daemon.pb-c.h"

#include "tests/lib/suite.h"

/* ---- a daemon that does nothing but what its test wants; it runs in a process of its own ---- */

static struct cu_timer fail_timer;

static void fail_now(void *arg)
{
    cu_env_fail(arg, "the disk is %s", "gone");
}

static enum cu_err start(struct cu_env *env, void **ret_state, struct cu_diag *diag)
{
    if (!strcmp(env->node_name, "cannot"))
        return cu_fail(diag, CU_E_IO, "port 1 is taken");
    if (!strcmp(env->node_name, "fails-later")) {
        cu_timer_init(&fail_timer, env->loop, fail_now, env);
        cu_timer_set_ms(&fail_timer, 20);
    }
    *ret_state = env;
    cu_env_ready(env); /* before the socket is there: told only then */
    return CU_OK;
}

static void stop(void *state)
{
    const struct cu_env *env = state;
    if (!strcmp(env->node_name, "fails-later"))
        cu_timer_close(&fail_timer);
}

static enum cu_err check(const struct cu_conf *conf, struct cu_diag *diag)
{
    return cu_conf_int(conf, "raft_trailing_logs") == 13
               ? cu_fail(diag, CU_E_INVALID, "13 is unlucky")
               : CU_OK;
}

static void status(void *state, cu_status_add *add, void *to)
{
    const struct cu_env *env = state;
    add(to, "advertise", "%s", env->advertise_address);
    add(to, "reloaded", "%d", (int)cu_conf_int(env->conf, "raft_trailing_logs"));
}

static const struct cu_daemon testd = {.name = "raftd",
                                       .about = "is tested",
                                       .check = check,
                                       .start = start,
                                       .stop = stop,
                                       .status = status};

struct process {
    pid_t pid;
    int said; /* stderr */
    int notify;
    char run_dir[256], config[256];
};

static void write_config(const struct process *p, const char *more)
{
    FILE *file = fopen(p->config, "w");
    ck_assert(file && fprintf(file, "{\"data_dir\":\"%s/data\",\"bind_addr\":\"127.0.0.1\"%s}",
                              suite_tmpdir(), more) > 0);
    ck_assert(!fclose(file));
}

static void prepare(struct process *p)
{
    (void)snprintf(p->run_dir, sizeof p->run_dir, "%s/run", suite_tmpdir());
    (void)snprintf(p->config, sizeof p->config, "%s/c.json", suite_tmpdir());
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/n", suite_tmpdir());
    p->notify = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(p->notify, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", at.sun_path, 1), 0);
}

static void launch(struct process *p)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    p->said = ends[0];
    p->pid = fork();
    if (p->pid) {
        (void)close(ends[1]);
        return;
    }
    ck_assert(dup2(ends[1], 2) == 2 && freopen("/dev/null", "w", stdout));
    char name[] = "raftd", file[] = "-config-file", run[] = "-run-dir";
    char *argv[] = {name, file, p->config, run, p->run_dir, NULL};
    exit(cu_daemon_main(&testd, 5, argv));
}

static void wait_ready(const struct process *p)
{
    char text[16] = "";
    struct timeval limit = {.tv_sec = 10};
    ck_assert_int_eq(setsockopt(p->notify, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    ck_assert_int_eq(recv(p->notify, text, sizeof text - 1, 0), 7);
    ck_assert_str_eq(text, "READY=1");
}

static int end_of(const struct process *p)
{
    int code;
    ck_assert_int_eq(waitpid(p->pid, &code, 0), p->pid);
    ck_assert(WIFEXITED(code));
    return WEXITSTATUS(code);
}

static const char *last_words(const struct process *p)
{
    static char text[2048];
    ssize_t got = read(p->said, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

/* ---- one call of its service ---- */

struct asked {
    struct cu_loop *loop;
    enum cu_err err;
    char text[256];
    ProtobufCMessage *reply;
    const ProtobufCMessageDescriptor *type;
};

static void on_answer(void *arg, const struct cu_answer *answer)
{
    struct asked *asked = arg;
    asked->err = answer->err;
    (void)snprintf(asked->text, sizeof asked->text, "%s", answer->text);
    if (!answer->err)
        asked->reply =
            protobuf_c_message_unpack(asked->type, NULL, answer->body.len, answer->body.data);
    cu_loop_stop(asked->loop);
}

static void on_state(void *arg, struct cu_client *client, bool is_up)
{
    struct asked *asked = arg;
    (void)client;
    if (is_up)
        cu_loop_stop(asked->loop);
}

static struct asked ask(const struct process *p, const char *method, const ProtobufCMessage *in)
{
    char url[300];
    (void)snprintf(url, sizeof url, "ipc://%s/raftd.sock", p->run_dir);
    struct asked asked = {.loop = cu_loop_new()};
    asked.type = protobuf_c_service_descriptor_get_method_by_name(
                     &curia__internal__v1__daemon__descriptor, method)
                     ->output;
    struct cu_rpc *rpc = cu_rpc_new(&(struct cu_rpc_options){
        .loop = asked.loop, .daemon = "test", .node_id = "", .node_name = "", .datacenter = ""});
    struct cu_client *client = cu_client_new(rpc, url, on_state, &asked);
    cu_loop_run(asked.loop);
    (void)cu_client_call(client,
                         &(struct cu_call_spec){.service = &curia__internal__v1__daemon__descriptor,
                                                .method = method,
                                                .in = in,
                                                .timeout_ms = 10000,
                                                .token = "",
                                                .datacenter = "",
                                                .origin = {"", "", ""}},
                         on_answer, &asked);
    cu_loop_run(asked.loop);
    cu_client_free(client);
    cu_rpc_free(rpc);
    cu_loop_free(asked.loop);
    return asked;
}

static const char *item_of(const struct asked *asked, const char *name)
{
    const Curia__Internal__V1__DaemonStatusReply *reply = (const void *)asked->reply;
    for (size_t i = 0; i < reply->n_items; i++)
        if (!strcmp(reply->items[i]->name, name))
            return reply->items[i]->value;
    return "";
}

START_TEST(status_says_who_it_is_and_what_it_adds) /* contracts 9.2 */
{
    struct process p;
    Curia__Internal__V1__DaemonStatusRequest in = CURIA__INTERNAL__V1__DAEMON_STATUS_REQUEST__INIT;
    prepare(&p);
    write_config(&p, ",\"node_name\":\"n1\",\"raft_trailing_logs\":5");
    launch(&p);
    wait_ready(&p);
    struct asked asked = ask(&p, "Status", &in.base);
    ck_assert_int_eq(asked.err, CU_OK);
    const Curia__Internal__V1__DaemonStatusReply *reply = (const void *)asked.reply;
    ck_assert_str_eq(reply->daemon, "raftd");
    ck_assert_str_eq(reply->node_name, "n1");
    ck_assert_int_eq(reply->pid, p.pid);
    ck_assert(reply->ready && strlen(reply->node_id) == 36);
    ck_assert_str_eq(item_of(&asked, "advertise"), "127.0.0.1");
    protobuf_c_message_free_unpacked(asked.reply, NULL);
    (void)kill(p.pid, SIGTERM);
    ck_assert_int_eq(end_of(&p), 0);
}
END_TEST

START_TEST(metrics_of_the_process_are_there_and_stop_ends_it_with_0) /* contracts 9.2 */
{
    struct process p;
    Curia__Internal__V1__MetricsRequest in = CURIA__INTERNAL__V1__METRICS_REQUEST__INIT;
    Curia__Internal__V1__StopRequest end = CURIA__INTERNAL__V1__STOP_REQUEST__INIT;
    prepare(&p);
    write_config(&p, "");
    launch(&p);
    wait_ready(&p);
    struct asked asked = ask(&p, "Metrics", &in.base);
    const Curia__Internal__V1__MetricsReply *reply = (const void *)asked.reply;
    bool found = false;
    for (size_t i = 0; i < reply->n_metrics; i++)
        found |=
            !strcmp(reply->metrics[i]->name, "process.rss_bytes") && reply->metrics[i]->value > 1e5;
    ck_assert(found);
    protobuf_c_message_free_unpacked(asked.reply, NULL);
    asked = ask(&p, "Stop", &end.base);
    ck_assert_int_eq(asked.err, CU_OK);
    protobuf_c_message_free_unpacked(asked.reply, NULL);
    ck_assert_int_eq(end_of(&p), 0);
}
END_TEST

START_TEST(reload_takes_up_what_check_accepts_and_nothing_else) /* agent.md 2 */
{
    struct process p;
    Curia__Internal__V1__DaemonStatusRequest look =
        CURIA__INTERNAL__V1__DAEMON_STATUS_REQUEST__INIT;
    Curia__Internal__V1__ReloadRequest in = CURIA__INTERNAL__V1__RELOAD_REQUEST__INIT;
    prepare(&p);
    write_config(&p, ",\"raft_trailing_logs\":5");
    launch(&p);
    wait_ready(&p);
    write_config(&p, ",\"raft_trailing_logs\":13");
    struct asked asked = ask(&p, "Reload", &in.base);
    ck_assert_int_eq(asked.err, CU_E_INVALID);
    ck_assert_str_eq(asked.text, "13 is unlucky");
    asked = ask(&p, "Status", &look.base);
    ck_assert_str_eq(item_of(&asked, "reloaded"), "5");
    protobuf_c_message_free_unpacked(asked.reply, NULL);
    write_config(&p, ",\"raft_trailing_logs\":7");
    asked = ask(&p, "Reload", &in.base);
    ck_assert_int_eq(asked.err, CU_OK);
    protobuf_c_message_free_unpacked(asked.reply, NULL);
    asked = ask(&p, "Status", &look.base);
    ck_assert_str_eq(item_of(&asked, "reloaded"), "7");
    protobuf_c_message_free_unpacked(asked.reply, NULL);
    (void)kill(p.pid, SIGINT);
    ck_assert_int_eq(end_of(&p), 0);
}
END_TEST

START_TEST(a_failed_start_says_its_sentence_and_ends_with_1)
{
    struct process p;
    prepare(&p);
    write_config(&p, ",\"node_name\":\"cannot\"");
    launch(&p);
    ck_assert_int_eq(end_of(&p), 1);
    ck_assert_str_eq(last_words(&p), "raftd: port 1 is taken\n");
}
END_TEST

START_TEST(a_daemon_that_cannot_go_on_says_why_and_ends_with_1)
{
    struct process p;
    prepare(&p);
    write_config(&p, ",\"node_name\":\"fails-later\"");
    launch(&p);
    wait_ready(&p);
    ck_assert_int_eq(end_of(&p), 1);
    ck_assert_str_eq(last_words(&p), "raftd: the disk is gone\n");
}
END_TEST

START_TEST(a_second_one_in_the_same_run_directory_is_refused)
{
    struct process p, second;
    prepare(&p);
    write_config(&p, "");
    second = p;
    launch(&p);
    wait_ready(&p);
    launch(&second);
    ck_assert_int_eq(end_of(&second), 1);
    ck_assert_ptr_nonnull(strstr(last_words(&second), "already running with pid"));
    (void)kill(p.pid, SIGTERM);
    ck_assert_int_eq(end_of(&p), 0);
}
END_TEST

START_TEST(a_bad_configuration_ends_it_with_the_references_text)
{
    struct process p;
    prepare(&p);
    write_config(&p, ",\"bogus\":1");
    launch(&p);
    ck_assert_int_eq(end_of(&p), 1);
    ck_assert_ptr_nonnull(strstr(last_words(&p), "invalid config key bogus"));
}
END_TEST

SUITE_MAIN("common/daemon", status_says_who_it_is_and_what_it_adds,
           metrics_of_the_process_are_there_and_stop_ends_it_with_0,
           reload_takes_up_what_check_accepts_and_nothing_else,
           a_failed_start_says_its_sentence_and_ends_with_1,
           a_daemon_that_cannot_go_on_says_why_and_ends_with_1,
           a_second_one_in_the_same_run_directory_is_refused,
           a_bad_configuration_ends_it_with_the_references_text)
