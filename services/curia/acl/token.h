/* token.h - what the commands of one token have in common. */
#ifndef CLI_ACL_TOKEN_H
#define CLI_ACL_TOKEN_H

#include "services/curia/client.h"

/* Finds the token that -id means and does `act` with it; the exit code. */
int acl_token_act(const struct cli_args *args,
                  int (*act)(struct cli_http *http, const struct cli_args *args, const char *id));

#endif
