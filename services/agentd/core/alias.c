#include "services/agentd/core/alias.h"

#include <string.h>

enum agent_status agent_alias_status(const char *node, const char *service_id, const char *own_id,
                                     bool has_service, Curia__V1__Check *const *checks,
                                     size_t count, struct cu_buf *output)
{
    enum agent_status status = AGENT_PASSING;
    const Curia__V1__Check *worst = NULL;
    size_t counted = 0;
    bool of_service = false;

    for (size_t i = 0; i < count; i++) {
        enum agent_status one = AGENT_CRITICAL;
        bool of_node = !*checks[i]->service_id;
        if (strcmp(checks[i]->check_id, own_id) == 0 ||
            (!of_node && (!*service_id || strcmp(checks[i]->service_id, service_id) != 0)))
            continue;
        counted++;
        of_service |= !of_node;
        (void)agent_status_parse(checks[i]->status, &one); /* what nobody knows is critical */
        if (one > status || (one == AGENT_WARNING && status == AGENT_WARNING)) {
            status = one;
            worst = checks[i];
        }
    }
    if (*service_id && !of_service && !has_service) {
        cu_buf_printf(output, "Service %s could not be found on node %s", service_id, node);
        return AGENT_CRITICAL;
    }
    if (worst)
        cu_buf_printf(output, "Aliased check \"%s\" failing: %s", worst->name, worst->output);
    else
        cu_buf_text(output, counted ? "All checks passing." : "No checks found.");
    return status;
}
