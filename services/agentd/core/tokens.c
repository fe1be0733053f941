#include "services/agentd/core/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/internal/v1/agent.pb-c.h"
#include "curia/v1/agent.pb-c.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/core/shapes_rows.h"

enum { FILE_ARENA_BYTES = 64 * 1024 };

typedef Curia__Internal__V1__PersistedTokens file_t;

static const struct {
    const char *name, *older;
} names[] = {
    [AGENT_TOKEN_DEFAULT] = {"default", "acl_token"},
    [AGENT_TOKEN_AGENT] = {"agent", "acl_agent_token"},
    [AGENT_TOKEN_AGENT_MASTER] = {"agent_master", "acl_agent_master_token"},
    [AGENT_TOKEN_REPLICATION] = {"replication", "acl_replication_token"},
};
_Static_assert(CU_COUNT(names) == AGENT_TOKEN_COUNT, "names of each token");

// clang-format off
#define FILE_ROW(name, member) \
    CU_JSON_FIELD(Curia__Internal__V1__PersistedTokens, name, member, CU_JSON_TEXT, CU_JSON_OMIT)
static const struct cu_json_field file_rows[] = {
    FILE_ROW("replication",  replication),
    FILE_ROW("agent_master", agent_master),
    FILE_ROW("default",      user),
    FILE_ROW("agent",        agent),
};
static const struct cu_json_field update_rows[] = {
    ROW(TokenUpdate, "Token", token, CU_JSON_TEXT, CU_JSON_ZERO),
};
/* clang-format on */
const struct cu_json_shape agent_shape_persisted_tokens =
    SHAPE("agent.persistedTokens", curia__internal__v1__persisted_tokens__descriptor, file_rows,
          .ignores_unknown = true);
const struct cu_json_shape agent_shape_token_update =
    SHAPE("api.AgentToken", curia__v1__token_update__descriptor, update_rows);

void agent_tokens_deinit(struct agent_tokens *tokens)
{
    for (size_t i = 0; i < AGENT_TOKEN_COUNT; i++)
        free(tokens->slots[i].text);
    *tokens = (struct agent_tokens){0};
}

bool agent_token_find(const char *name, enum agent_token *ret_token)
{
    for (size_t i = 0; i < AGENT_TOKEN_COUNT; i++)
        if (strcmp(names[i].name, name) == 0 || strcmp(names[i].older, name) == 0) {
            *ret_token = (enum agent_token)i;
            return true;
        }
    return false;
}

const char *agent_token_name(enum agent_token token)
{
    return names[token].name;
}

const char *agent_tokens_get(const struct agent_tokens *tokens, enum agent_token token)
{
    if (!tokens)
        return NULL;
    const char *text = tokens->slots[token].text;
    return text || token != AGENT_TOKEN_AGENT ? text : tokens->slots[AGENT_TOKEN_DEFAULT].text;
}

bool agent_tokens_is_set(const struct agent_tokens *tokens, enum agent_token token)
{
    return tokens->slots[token].is_set;
}

static bool replace(char **text, const char *with)
{
    bool is_none = !with || !*with;
    if (is_none ? !*text : *text && strcmp(*text, with) == 0)
        return false;
    free(*text);
    *text = is_none ? NULL : cu_strdup(with);
    return true;
}

bool agent_tokens_set(struct agent_tokens *tokens, enum agent_token token, const char *text)
{
    tokens->slots[token].is_set = *text;
    return replace(&tokens->slots[token].text, text);
}

bool agent_tokens_configure(struct agent_tokens *tokens, enum agent_token token, const char *text,
                            bool keeps_set)
{
    if (keeps_set && tokens->slots[token].is_set)
        return false;
    tokens->slots[token].is_set = false;
    return replace(&tokens->slots[token].text, text);
}

bool agent_token_read(struct cu_bytes body, struct cu_arena *arena, const char **ret_token,
                      struct agent_fault *fault)
{
    Curia__V1__TokenUpdate update = CURIA__V1__TOKEN_UPDATE__INIT;
    struct cu_diag diag = {0};
    if (cu_json_read_text(body, &agent_shape_token_update, arena, &update.base, &diag))
        return agent_refuse(fault, 400, "Request decode failed: %s", diag.text);
    *ret_token = update.token;
    return true;
}

/* ---- the file ---- */

static char **member(file_t *file, enum agent_token token)
{
    switch (token) {
    case AGENT_TOKEN_DEFAULT:
        return &file->user;
    case AGENT_TOKEN_AGENT:
        return &file->agent;
    case AGENT_TOKEN_AGENT_MASTER:
        return &file->agent_master;
    case AGENT_TOKEN_REPLICATION:
    case AGENT_TOKEN_COUNT:
        break;
    }
    return &file->replication;
}

void agent_tokens_write(const struct agent_tokens *tokens, struct cu_buf *out)
{
    file_t file = CURIA__INTERNAL__V1__PERSISTED_TOKENS__INIT;
    for (enum agent_token token = 0; token < AGENT_TOKEN_COUNT; token++)
        if (tokens->slots[token].is_set)
            *member(&file, token) = tokens->slots[token].text;
    cu_json_write(out, &agent_shape_persisted_tokens, &file.base);
}

enum cu_err agent_tokens_read(struct agent_tokens *tokens, struct cu_bytes text,
                              struct cu_diag *diag)
{
    file_t file = CURIA__INTERNAL__V1__PERSISTED_TOKENS__INIT;
    struct cu_arena *arena = cu_arena_new(FILE_ARENA_BYTES);
    struct cu_diag why = {0};
    enum cu_err err =
        cu_json_read_text(text, &agent_shape_persisted_tokens, arena, &file.base, &why);
    for (enum agent_token token = 0; !err && token < AGENT_TOKEN_COUNT; token++)
        if (**member(&file, token))
            (void)agent_tokens_set(tokens, token, *member(&file, token)); /* it had none */
    cu_arena_free(arena);
    return err ? cu_fail(diag, CU_E_CORRUPT, "%s", why.text) : CU_OK;
}
