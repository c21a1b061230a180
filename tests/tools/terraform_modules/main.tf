# How the modules of deploy/terraform are used together: an organization, its guardrails, an account, and the first day's settings.

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
}

resource "aws_organizations_organization" "this" {
  feature_set          = "ALL"
  enabled_policy_types = ["SERVICE_CONTROL_POLICY"]
}

resource "aws_iam_user" "alice" {
  name = "alice"
}

module "first_account" {
  source = "./first-account"

  parent_id = aws_organizations_organization.this.roots[0].id
  name      = "shop"
  email     = "shop@acme.example"
}

module "guardrails" {
  source     = "./guardrails"
  depends_on = [aws_organizations_organization.this]

  targets  = { workloads = module.first_account.unit_id }
  policies = ["deny-leaving", "deny-root-access-keys", "deny-root-user", "protect-cloudtrail"]
}

module "lockdown" {
  source = "./lockdown"

  administrators = [aws_iam_user.alice.name]
  contacts = {
    SECURITY = { name = "Sam", title = "Security", email_address = "security@acme.example", phone_number = "+49 30 1234567" }
    BILLING  = { name = "Bo", title = "Billing", email_address = "billing@acme.example", phone_number = "+49 30 1234568" }
  }
}

output "account_id" {
  value = module.first_account.account_id
}

output "administrator_role_arn" {
  value = module.lockdown.administrator_role_arn
}
