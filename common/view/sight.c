#include "common/view/sight.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { NOT_SEEN = 0, UNKNOWN_TOKEN = 2 /* beside the numbers of rights */ };

struct cu_sight {
    struct cu_rights *rights;
    struct cu_mirror *mirror;
    char *token;
    uint64_t seen; /* the number of its rights, when looked at last */
    struct cu_rights_ask ask;
    struct cu_timer timer;
};

static void look_later(struct cu_sight *sight)
{
    uint64_t fresh_ms = cu_rights_fresh_ms(sight->rights, sight->token);
    cu_timer_set_ms(&sight->timer, fresh_ms < CU_SIGHT_MIN_MS ? CU_SIGHT_MIN_MS : fresh_ms + 1);
}

/* What the down policy makes of it is no news: the feed has its own answer. */
static uint64_t number_of(enum cu_err err, const struct cu_authorizer *authorizer)
{
    if (err)
        return UNKNOWN_TOKEN;
    bool is_told = authorizer != cu_authorizer_all() && authorizer != cu_authorizer_none();
    return is_told ? cu_authorizer_rights(authorizer) : NOT_SEEN;
}

static void seen(void *arg, enum cu_err err, const char *text, struct cu_authorizer *authorizer,
                 const char *accessor)
{
    struct cu_sight *sight = arg;
    uint64_t number = number_of(err, authorizer);
    (void)text;
    (void)accessor;
    look_later(sight);
    if (number == NOT_SEEN || number == sight->seen)
        return;
    bool is_first = sight->seen == NOT_SEEN;
    sight->seen = number;
    if (!is_first)
        cu_mirror_set_token(sight->mirror, sight->token);
}

static void look(void *arg)
{
    struct cu_sight *sight = arg;
    cu_rights_cancel(&sight->ask);
    sight->ask = (struct cu_rights_ask){.token = sight->token, .done = seen, .arg = sight};
    cu_rights_ask(sight->rights, &sight->ask);
}

struct cu_sight *cu_sight_new(struct cu_rights *rights, struct cu_loop *loop,
                              struct cu_mirror *mirror, const char *token)
{
    struct cu_sight *sight = cu_alloc(sizeof *sight);
    sight->rights = rights;
    sight->mirror = mirror;
    sight->token = cu_strdup(token ? token : "");
    cu_timer_init(&sight->timer, loop, look, sight);
    if (cu_rights_is_enabled(rights))
        cu_timer_set_ms(&sight->timer, 0);
    return sight;
}

void cu_sight_free(struct cu_sight *sight)
{
    if (!sight)
        return;
    cu_rights_cancel(&sight->ask);
    cu_timer_close(&sight->timer);
    explicit_bzero(sight->token, strlen(sight->token));
    free(sight->token);
    free(sight);
}

void cu_sight_set_token(struct cu_sight *sight, const char *token)
{
    if (strcmp(sight->token, token) == 0)
        return;
    explicit_bzero(sight->token, strlen(sight->token));
    free(sight->token);
    sight->token = cu_strdup(token);
    sight->seen = NOT_SEEN;
    cu_mirror_set_token(sight->mirror, sight->token);
    if (cu_rights_is_enabled(sight->rights))
        look(sight);
}
