# The first account below an organization, in a unit of its own: work belongs there, and not into the management account.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

variable "parent_id" {
  description = "Below which root or unit."
  type        = string
}

variable "unit" {
  description = "Name of the unit."
  type        = string
  default     = "workloads"
}

variable "name" {
  description = "Name of the account."
  type        = string
}

variable "email" {
  description = "Address of its root user: a mailbox that outlives the people."
  type        = string
}

variable "role_name" {
  description = "The role by which the management account gets in."
  type        = string
  default     = "OrganizationAccountAccessRole"
}

resource "aws_organizations_organizational_unit" "this" {
  name      = var.unit
  parent_id = var.parent_id
}

resource "aws_organizations_account" "this" {
  name      = var.name
  email     = var.email
  parent_id = aws_organizations_organizational_unit.this.id
  role_name = var.role_name

  # An account is closed by a person, and not by a plan.
  close_on_deletion = false

  lifecycle {
    # AWS does not tell it again, and a change would make another account.
    ignore_changes = [role_name]
  }
}

output "unit_id" {
  description = "Id of the unit, for guardrails."
  value       = aws_organizations_organizational_unit.this.id
}

output "account_id" {
  description = "Id of the account."
  value       = aws_organizations_account.this.id
}
