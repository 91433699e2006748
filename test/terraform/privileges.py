# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

"""What cloudsplaining finds in policies: reads {who: policy} from standard input, prints {who: {kind of finding: [findings]}}.

Ways to administrator are looked for as if no statement had conditions or resources: whether those hold is for the simulation to say
(iam-simulation.ts), and for a reader of the exceptions. Everything else is a finding only where neither of them limits it.
"""

import json
import sys

from cloudsplaining.command.scan_policy_file import scan_policy

KINDS = ['DataExfiltration', 'ResourceExposure', 'CredentialsExposure', 'ServiceWildcard', 'InfrastructureModification']


def names(findings):
    return sorted({finding['type'] if isinstance(finding, dict) else finding for finding in findings})


def findings_of(policy):
    unlimited = scan_policy(policy, {})
    ways = scan_policy(policy, {}, flag_conditional_statements=True, flag_resource_arn_statements=True)
    found = {kind: names(unlimited[kind]['findings']) for kind in KINDS}
    found['PrivilegeEscalation'] = names(ways['PrivilegeEscalation']['findings'])
    return {kind: findings for kind, findings in found.items() if findings}


print(json.dumps({who: findings_of(policy) for who, policy in json.load(sys.stdin).items()}))
