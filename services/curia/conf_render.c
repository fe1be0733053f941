/* `conf render` (cli.md 4.29). */
#include <stdio.h>
#include <string.h>

#include "common/conf/key.h"
#include "services/curia/agent/settings.h"
#include "services/curia/client.h"
#include "services/curia/command.h"

static enum cu_err write_part(const struct cu_conf *conf, const char *daemon, const char *out,
                              struct cu_diag *diag)
{
    char path[CLI_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s.json", cu_conf_text(conf, "run_dir"), daemon);
    return agent_settings_write_part(conf, daemon, out ? out : path, diag);
}

/* DAEMON comes before the flags here, as in the reference page; both orders are taken. */
int cli_conf_render(const struct cli_args *args)
{
    struct cli_args own = *args;
    const char *daemon = args->word_count ? args->words[0] : NULL;
    if (daemon && args->word_count > 1 &&
        !cli_args_parse(&own, args->word_count - 1, args->words + 1))
        return 1;
    if (!daemon)
        return cli_sorry("Missing DAEMON argument");
    if (args->word_count > 1 && own.word_count)
        return cli_sorry("Unexpected extra argument: %s", own.words[0]);
    if (!cu_key_owner(daemon) || !strcmp(daemon, "curia"))
        return cli_sorry("Unknown daemon: %s", daemon);
    struct cu_conf *conf = NULL;
    struct cu_diag diag = {0};
    enum cu_err err = agent_settings_read(&own, NULL, &conf, NULL, &diag);
    if (!err)
        err = write_part(conf, daemon, cli_text(&own, "out"), &diag);
    cu_conf_free(conf);
    return err ? cli_sorry("%s", *diag.text ? diag.text : cu_err_words(err)) : 0;
}
