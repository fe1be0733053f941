#include "services/agentd/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/view/rights.h"
#include "services/agentd/io/own_token.h"

enum { PATH_BYTES = 4096, KEY_BYTES = 64 };

/* The older key of the same meaning counts where the newer is not given. */
static const char *configured(const struct cu_conf *conf, enum agent_token token)
{
    static const char *const older[] = {
        [AGENT_TOKEN_DEFAULT] = "acl_token",
        [AGENT_TOKEN_AGENT] = "acl_agent_token",
        [AGENT_TOKEN_AGENT_MASTER] = "acl_agent_master_token",
        [AGENT_TOKEN_REPLICATION] = "acl_replication_token",
    };
    char key[KEY_BYTES];
    _Static_assert(CU_COUNT(older) == AGENT_TOKEN_COUNT, "a key for each token");
    (void)snprintf(key, sizeof key, "acl.tokens.%s", agent_token_name(token));
    return cu_conf_text(conf, cu_conf_is_set(conf, key) ? key : older[token]);
}

/* Those who use them hear of it. */
static void changed(struct agent *agent, enum agent_token token)
{
    const char *master = agent_tokens_get(&agent->tokens, AGENT_TOKEN_AGENT_MASTER);
    if (token == AGENT_TOKEN_DEFAULT)
        agent_own_token_set(agent->own_token, agent_tokens_get(&agent->tokens, token));
    if (token == AGENT_TOKEN_AGENT_MASTER && agent->rights)
        cu_rights_set_agent_master(agent->rights, master);
    else if (token <= AGENT_TOKEN_AGENT && agent->node)
        agent_node_tokens_changed(agent->node);
}

static void configure(struct agent *agent, const struct cu_conf *conf)
{
    struct agent_tokens *tokens = &agent->tokens;
    bool keeps = agent->conf.persists_tokens;
    for (enum agent_token token = 0; token < AGENT_TOKEN_COUNT; token++) {
        const char *text = configured(conf, token);
        if (*text && keeps && agent_tokens_is_set(tokens, token))
            cu_warn(agent->env->log, "tokens.persisted",
                    "token=%s text=\"present in both the configuration and persisted token "
                    "store, using the persisted token\"",
                    agent_token_name(token));
        if (agent_tokens_configure(tokens, token, text, keeps))
            changed(agent, token);
    }
}

/* ---- the file ---- */

static bool fill(int fd, struct cu_buf *text)
{
    uint8_t block[4096];
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) > 0) {
        cu_buf_append(text, block, (size_t)got);
        if (text->len > AGENT_TOKENS_FILE_BYTES) {
            errno = EFBIG;
            return false;
        }
    }
    return got == 0;
}

/* CU_OK without a file, too. */
static enum cu_err load(struct agent *agent, const char *path, struct cu_diag *diag)
{
    struct cu_buf text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return CU_OK;
    bool good = fd >= 0 && fill(fd, &text);
    enum cu_err err = good ? agent_tokens_read(&agent->tokens, cu_buf_bytes(&text), diag)
                           : cu_fail(diag, CU_E_IO, "%s", strerror(errno));
    if (fd >= 0)
        (void)close(fd); /* only read */
    cu_buf_deinit(&text);
    return err;
}

void agent_credentials_open(struct agent *agent)
{
    char path[PATH_BYTES];
    struct cu_diag diag = {0};
    (void)snprintf(path, sizeof path, "%s/" AGENT_TOKENS_FILE, agent->env->data_dir);
    if (agent->conf.persists_tokens && load(agent, path, &diag))
        cu_error(agent->env->log, "tokens.damaged", "file=%s reason=\"%s\"", path, diag.text);
    configure(agent, agent->env->conf);
}

void agent_credentials_reload(struct agent *agent, const struct cu_conf *conf)
{
    configure(agent, conf);
}

/* ---- over HTTP ---- */

bool agent_credentials_set(struct agent *agent, enum agent_token token, const char *text,
                           agent_file_done *done, void *arg)
{
    struct cu_buf file = {0};
    if (agent_tokens_set(&agent->tokens, token, text))
        changed(agent, token);
    cu_info(agent->env->log, "tokens.set", "token=%s", agent_token_name(token));
    if (!agent->conf.persists_tokens)
        return false;
    agent_tokens_write(&agent->tokens, &file);
    agent_node_put_file(agent->node, AGENT_TOKENS_FILE, &file, done, arg);
    return true;
}
