/* `validate`: reads configuration as the agent would (cli.md 4.25). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/conf/conf.h"
#include "services/curia/client.h"
#include "services/curia/command.h"

int cli_validate(const struct cli_args *args)
{
    const char *format = cli_text(args, "config-format");
    struct cu_diag diag = {0};
    struct cu_conf *conf = NULL;
    json_t *warnings = NULL, *warning;
    size_t i;
    if (format && strcmp(format, "hcl") != 0 && strcmp(format, "json") != 0)
        return cli_sorry("-config-format must be either 'hcl' or 'json"); /* sic */
    if (!args->word_count)
        return cli_sorry("Must specify at least one config file or directory");
    const char **paths = cu_alloc(((size_t)args->word_count + 1) * sizeof *paths);
    for (int k = 0; k < args->word_count; k++)
        paths[k] = args->words[k];
    enum cu_err err = cu_conf_load(&(struct cu_conf_sources){.paths = paths, .format = format},
                                   &conf, &warnings, &diag);
    json_array_foreach(warnings, i, warning)(void)
        fprintf(stderr, "%s\n", json_string_value(warning));
    if (err)
        (void)cli_sorry("Config validation failed: %s", diag.text);
    else if (!cli_bool(args, "quiet"))
        (void)puts("Configuration is valid!");
    json_decref(warnings);
    cu_conf_free(conf);
    free(paths);
    return err ? 1 : 0;
}
