#include "services/curia/agent/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "curia/internal/v1/daemon.pb-c.h"

#include "common/base/assert.h"
#include "services/curia/agent/ask.h"

struct reload {
    struct reload_options options;
    struct cu_conf *conf; /* the new one, while it is being asked about; NULL: none under way */
    struct ask *ask;
    uint64_t generation;
    char path[CLI_PATH_BYTES];
    Curia__Internal__V1__CheckRequest check;
    Curia__Internal__V1__ReloadRequest take_up;
};

#define CHECK_SUFFIX ".check"

static const char *check_path(struct reload *reload, const char *daemon)
{
    (void)snprintf(reload->path, sizeof reload->path, "%s/%s.json" CHECK_SUFFIX,
                   reload->options.settings->run_dir, daemon);
    return reload->path;
}

static void end(struct reload *reload, const char *failure)
{
    for (size_t i = 0; reload->options.daemons[i]; i++)
        (void)unlink(check_path(reload, reload->options.daemons[i])); /* it may not be there */
    if (failure)
        cu_error(reload->options.log, "agent.reload", "text=\"Reload config failed\" error=\"%s\"",
                 failure);
    else
        cu_info(reload->options.log, "agent.reload", "generation=%llu",
                (unsigned long long)reload->generation);
    if (reload->options.ended)
        reload->options.ended(reload->options.arg, failure);
    ask_free(reload->ask);
    reload->ask = NULL;
    cu_conf_free(reload->conf);
    reload->conf = NULL;
}

static const ProtobufCMessage *check_request(void *arg, const char *daemon)
{
    struct reload *reload = arg;
    curia__internal__v1__check_request__init(&reload->check);
    (void)check_path(reload, daemon);
    reload->check.config_path = reload->path;
    return &reload->check.base;
}

static const ProtobufCMessage *take_up_request(void *arg, const char *daemon)
{
    struct reload *reload = arg;
    (void)daemon;
    curia__internal__v1__reload_request__init(&reload->take_up);
    reload->take_up.generation = reload->generation;
    return &reload->take_up.base;
}

static enum cu_err write_all(struct reload *reload, const char *suffix, struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && reload->options.daemons[i]; i++)
        err = agent_settings_write(reload->options.settings, reload->conf,
                                   reload->options.daemons[i], suffix, diag);
    return err;
}

static void ask_all(struct reload *reload, const char *method,
                    const ProtobufCMessage *(*request)(void *, const char *),
                    void (*done)(void *, enum cu_err, const char *))
{
    ask_free(reload->ask);
    reload->ask = ask_new(&(struct ask_options){.loop = reload->options.loop,
                                                .run_dir = reload->options.settings->run_dir,
                                                .daemons = reload->options.daemons,
                                                .method = method,
                                                .request = request,
                                                .done = done,
                                                .arg = reload});
}

static void on_taken_up(void *arg, enum cu_err err, const char *text)
{
    end(arg, err ? text : NULL);
}

static void warn_of_stuck(struct reload *reload, const struct cu_conf *old)
{
    const char *key;
    for (size_t at = 0; (key = cu_conf_next_stuck(old, reload->conf, &at));)
        cu_warn(reload->options.log, "agent.reload",
                "key=%s text=\"has changed, and takes effect when the agent is started again\"",
                key);
}

/* All agree. What a daemon that is restarted from here on reads is the new files, too. */
static void on_checked(void *arg, enum cu_err err, const char *text)
{
    struct reload *reload = arg;
    struct cu_diag diag = {0};
    if (err) {
        end(reload, text);
        return;
    }
    if (write_all(reload, "", &diag) ||
        agent_settings_write(reload->options.settings, reload->conf, "curia", "", &diag)) {
        end(reload, diag.text);
        return;
    }
    struct cu_conf *old = reload->options.settings->conf;
    warn_of_stuck(reload, old);
    reload->options.settings->conf = reload->conf;
    reload->conf = NULL;
    cu_conf_free(old);
    reload->generation++;
    ask_all(reload, "Reload", take_up_request, on_taken_up);
}

bool reload_begin(struct reload *reload)
{
    struct cu_diag diag = {0};
    if (reload->ask) {
        cu_warn(reload->options.log, "agent.reload", "text=\"one is under way\"");
        return false;
    }
    if (agent_settings_reread(reload->options.settings, reload->options.args, &reload->conf,
                              &diag) ||
        write_all(reload, CHECK_SUFFIX, &diag))
        end(reload, diag.text);
    else
        ask_all(reload, "Check", check_request, on_checked);
    return true;
}

struct reload *reload_new(const struct reload_options *options)
{
    struct reload *reload = cu_alloc(sizeof *reload);
    reload->options = *options;
    return reload;
}

void reload_free(struct reload *reload)
{
    if (!reload)
        return;
    ask_free(reload->ask);
    cu_conf_free(reload->conf);
    free(reload);
}
