# Service control policies for an organization: what no account may do, its root user included. Their texts are those that Crownkeep's
# console offers, and work on Amazon's AWS as well.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

variable "targets" {
  description = "Where the policies are attached, by names of your own: ids of a root, of units or of accounts."
  type        = map(string)
}

variable "policies" {
  description = "Which policies, by their names; see the folder policies."
  type        = set(string)
  default     = ["deny-leaving", "deny-root-access-keys", "deny-root-user", "protect-cloudtrail"]

  validation {
    condition = alltrue([
      for each in var.policies : contains(
        ["deny-alternate-contacts", "deny-leaving", "deny-root-access-keys", "deny-root-user", "deny-users-and-keys",
        "protect-cloudtrail", "require-mfa"], each
      )
    ])
    error_message = "There is no policy of that name in the folder policies."
  }
}

resource "aws_organizations_policy" "this" {
  for_each = var.policies

  name        = each.value
  description = "Guardrail ${each.value}"
  type        = "SERVICE_CONTROL_POLICY"
  content     = file("${path.module}/policies/${each.value}.json")
}

locals {
  attached = {
    for pair in setproduct(var.policies, keys(var.targets)) : "${pair[0]} at ${pair[1]}" => { policy = pair[0], target = var.targets[pair[1]] }
  }
}

resource "aws_organizations_policy_attachment" "this" {
  for_each = local.attached

  policy_id = aws_organizations_policy.this[each.value.policy].id
  target_id = each.value.target
}

output "policy_ids" {
  description = "Ids of the policies, by their names."
  value       = { for name, each in aws_organizations_policy.this : name => each.id }
}
