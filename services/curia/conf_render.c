/* `conf render` (cli.md 4.29). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/conf/key.h"
#include "common/daemon/host.h"
#include "services/curia/agent/settings.h"
#include "services/curia/command.h"

static int sorry(const char *before, const char *what)
{
    (void)fprintf(stderr, "%s%s\n", before, what);
    return 1;
}

static enum cu_err write_part(const struct cu_conf *conf, const char *daemon, const char *out,
                              struct cu_diag *diag)
{
    char path[CLI_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s.json", cu_conf_text(conf, "run_dir"), daemon);
    json_t *part = cu_conf_render(conf, daemon);
    char *text = json_dumps(part, JSON_INDENT(2) | JSON_SORT_KEYS);
    CU_ASSERT(text);
    enum cu_err err = cu_host_write_private(out ? out : path, text, strlen(text), diag);
    free(text);
    json_decref(part);
    return err;
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
        return sorry("Missing DAEMON argument", "");
    if (args->word_count > 1 && own.word_count)
        return sorry("Unexpected extra argument: ", own.words[0]);
    if (!cu_key_owner(daemon) || !strcmp(daemon, "curia"))
        return sorry("Unknown daemon: ", daemon);
    struct cu_conf *conf = NULL;
    struct cu_diag diag = {0};
    enum cu_err err = agent_settings_read(&own, NULL, &conf, NULL, &diag);
    if (!err)
        err = write_part(conf, daemon, cli_text(&own, "out"), &diag);
    cu_conf_free(conf);
    return err ? sorry("", *diag.text ? diag.text : cu_err_words(err)) : 0;
}
