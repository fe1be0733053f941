#include "services/agentd/io/own_token.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/internal/v1/daemon.pb-c.h"

struct listener {
    const char *daemon, *port; /* its key in the configuration */
};
static const struct listener listeners[] = {{"dnsd", "ports.dns"}, {"xdsd", "ports.grpc"}};

struct agent_own_token {
    struct cu_env *env;
    char *token;
    struct cu_client *clients[CU_COUNT(listeners)]; /* NULL: not looked for */
    struct cu_log_limit said;
};

/* Whoever is lost meanwhile is told when it is back. */
static void told(void *arg, const struct cu_answer *answer)
{
    struct agent_own_token *own = arg;
    if (answer->err && answer->err != CU_E_DISCONNECTED)
        cu_log_limited(own->env->log, &own->said, CU_LOG_WARN, "tokens.tell",
                       "error=%s text=\"%.200s\"", cu_err_name(answer->err), answer->text);
}

static void tell(struct agent_own_token *own, struct cu_client *client)
{
    Curia__Internal__V1__SetTokenRequest request = CURIA__INTERNAL__V1__SET_TOKEN_REQUEST__INIT;
    request.token = own->token;
    (void)cu_client_call(client,
                         &(struct cu_call_spec){.service = &curia__internal__v1__daemon__descriptor,
                                                .method = "SetToken",
                                                .in = &request.base,
                                                .timeout_ms = AGENT_TELL_TOKEN_MS},
                         told, own);
}

static void state_changed(void *arg, struct cu_client *client, bool is_up)
{
    if (is_up)
        tell(arg, client);
}

struct agent_own_token *agent_own_token_new(struct cu_env *env, const char *token)
{
    struct agent_own_token *own = cu_alloc(sizeof *own);
    own->env = env;
    own->token = cu_strdup(token ? token : "");
    for (size_t i = 0; i < CU_COUNT(listeners); i++) {
        if (cu_conf_int(env->conf, listeners[i].port) <= 0)
            continue;
        char *url = cu_env_local_url(env, listeners[i].daemon);
        own->clients[i] = cu_client_new(env->rpc, url, state_changed, own);
        free(url);
    }
    return own;
}

static void forget(struct agent_own_token *own)
{
    explicit_bzero(own->token, strlen(own->token));
    free(own->token);
}

void agent_own_token_free(struct agent_own_token *own)
{
    if (!own)
        return;
    for (size_t i = 0; i < CU_COUNT(listeners); i++)
        cu_client_free(own->clients[i]);
    forget(own);
    free(own);
}

void agent_own_token_set(struct agent_own_token *own, const char *token)
{
    if (!own || strcmp(own->token, token ? token : "") == 0)
        return;
    forget(own);
    own->token = cu_strdup(token ? token : "");
    for (size_t i = 0; i < CU_COUNT(listeners); i++)
        if (own->clients[i] && cu_client_is_up(own->clients[i]))
            tell(own, own->clients[i]);
}
