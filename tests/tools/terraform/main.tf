terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
}

variable "saml_metadata" {
  type = string
}

variable "ssh_public_key" {
  type = string
}

variable "certificate" {
  type = string
}

variable "private_key" {
  type = string
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "reading" {
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["true"]
    }
  }
}

data "aws_iam_policy_document" "machines" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "people" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.bob.arn, data.aws_caller_identity.me.account_id]
    }
  }
}

resource "aws_iam_policy" "edge" {
  name   = "edge"
  path   = "/boundaries/"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}

resource "aws_iam_user" "bob" {
  name                 = "bob"
  path                 = "/team/"
  permissions_boundary = aws_iam_policy.edge.arn
  force_destroy        = true
  tags                 = { Team = "blue", Empty = "" }
}

resource "aws_iam_user_policy" "own" {
  name   = "own"
  user   = aws_iam_user.bob.name
  policy = data.aws_iam_policy_document.reading.json
}

resource "aws_iam_access_key" "bob" {
  user = aws_iam_user.bob.name
}

resource "aws_iam_access_key" "idle" {
  user   = aws_iam_user.bob.name
  status = "Inactive"
}

resource "aws_iam_user_login_profile" "bob" {
  user                    = aws_iam_user.bob.name
  password_length         = 24
  password_reset_required = true
}

resource "aws_iam_virtual_mfa_device" "phone" {
  virtual_mfa_device_name = "phone"
  path                    = "/team/"
  tags                    = { Owner = "bob" }
}

resource "aws_iam_user_ssh_key" "bob" {
  username   = aws_iam_user.bob.name
  encoding   = "SSH"
  public_key = var.ssh_public_key
}

resource "aws_iam_group" "staff" {
  name = "staff"
  path = "/team/"
}

resource "aws_iam_group_policy" "staff" {
  name   = "reading"
  group  = aws_iam_group.staff.name
  policy = data.aws_iam_policy_document.reading.json
}

resource "aws_iam_group_policy_attachment" "staff" {
  group      = aws_iam_group.staff.name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_group_membership" "staff" {
  name  = "staff"
  group = aws_iam_group.staff.name
  users = [aws_iam_user.bob.name]
}

resource "aws_iam_policy" "reading" {
  name        = "reading"
  description = "Read the bucket"
  policy      = data.aws_iam_policy_document.reading.json
  tags        = { Kind = "managed" }
}

resource "aws_iam_user_policy_attachment" "bob" {
  user       = aws_iam_user.bob.name
  policy_arn = aws_iam_policy.reading.arn
}

resource "aws_iam_role" "machine" {
  name                 = "machine"
  path                 = "/machines/"
  description          = "Of the machines"
  max_session_duration = 7200
  permissions_boundary = aws_iam_policy.edge.arn
  assume_role_policy   = data.aws_iam_policy_document.machines.json
  tags                 = { Kind = "machine" }
}

resource "aws_iam_role" "people" {
  name               = "people"
  assume_role_policy = data.aws_iam_policy_document.people.json
}

resource "aws_iam_role_policy" "machine" {
  name   = "reading"
  role   = aws_iam_role.machine.id
  policy = data.aws_iam_policy_document.reading.json
}

resource "aws_iam_role_policy_attachment" "machine" {
  role       = aws_iam_role.machine.name
  policy_arn = aws_iam_policy.reading.arn
}

resource "aws_iam_instance_profile" "machine" {
  name = "machine"
  path = "/machines/"
  role = aws_iam_role.machine.name
  tags = { Kind = "machine" }
}

resource "aws_iam_service_linked_role" "autoscaling" {
  aws_service_name = "autoscaling.amazonaws.com"
  custom_suffix    = "blue"
  description      = "Of the blue fleet"
}

resource "aws_iam_account_password_policy" "strict" {
  minimum_password_length        = 14
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  require_numbers                = true
  require_symbols                = true
  allow_users_to_change_password = true
  max_password_age               = 90
  password_reuse_prevention      = 24
}

resource "aws_iam_account_alias" "alias" {
  account_alias = "terraform-${data.aws_caller_identity.me.account_id}"
}

resource "aws_iam_saml_provider" "office" {
  name                   = "office"
  saml_metadata_document = var.saml_metadata
  tags                   = { Kind = "saml" }
}

resource "aws_iam_openid_connect_provider" "builds" {
  url             = "https://builds.example.org/issuer"
  client_id_list  = ["sts.amazonaws.com", "other"]
  thumbprint_list = ["cf23df2207d99a74fbe169e3eba035e633b65d94"]
  tags            = { Kind = "oidc" }
}

resource "aws_organizations_organization" "all" {
  feature_set                   = "ALL"
  enabled_policy_types          = ["SERVICE_CONTROL_POLICY", "TAG_POLICY"]
  aws_service_access_principals = ["account.amazonaws.com"]
}

resource "aws_organizations_organizational_unit" "workloads" {
  name      = "workloads"
  parent_id = aws_organizations_organization.all.roots[0].id
}

resource "aws_organizations_policy" "stay" {
  depends_on = [aws_organizations_organization.all]

  name    = "stay"
  content = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Action = "organizations:LeaveOrganization", Resource = "*" }] })
}

resource "aws_organizations_policy_attachment" "stay" {
  policy_id = aws_organizations_policy.stay.id
  target_id = aws_organizations_organizational_unit.workloads.id
}

resource "aws_iam_server_certificate" "web" {
  name             = "web"
  certificate_body = var.certificate
  private_key      = var.private_key
}

data "aws_iam_account_alias" "alias" {
  depends_on = [aws_iam_account_alias.alias]
}

data "aws_iam_users" "team" {
  path_prefix = "/team/"
  depends_on  = [aws_iam_user.bob]
}

data "aws_iam_roles" "machines" {
  path_prefix = "/machines/"
  depends_on  = [aws_iam_role.machine]
}

output "found" {
  value = {
    account = data.aws_caller_identity.me.account_id
    alias   = data.aws_iam_account_alias.alias.account_alias
    users   = data.aws_iam_users.team.names
    roles   = data.aws_iam_roles.machines.names
  }
}
