# What every account wants on its first day, but for what only its root user can do: passwords, contacts, people who prove themselves
# with a second factor, and an administrator's role for the hour in which it is needed.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

variable "contacts" {
  description = "Who hears of security, billing and operations, by the kind: SECURITY, BILLING, OPERATIONS."
  type = map(object({
    name          = string
    title         = string
    email_address = string
    phone_number  = string
  }))

  validation {
    condition     = contains(keys(var.contacts), "SECURITY")
    error_message = "Somebody must hear of security: give the contact SECURITY."
  }
}

variable "minimum_password_length" {
  description = "Characters of a password, 14 or more."
  type        = number
  default     = 16

  validation {
    condition     = var.minimum_password_length >= 14 && var.minimum_password_length <= 128
    error_message = "Give 14 to 128."
  }
}

variable "administrators" {
  description = "Names of users who may become administrator, with their second factor, for an hour."
  type        = set(string)
  default     = []
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

resource "aws_iam_account_password_policy" "this" {
  minimum_password_length        = var.minimum_password_length
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  require_numbers                = true
  require_symbols                = true
  allow_users_to_change_password = true
  password_reuse_prevention      = 24
}

resource "aws_account_alternate_contact" "this" {
  for_each = var.contacts

  alternate_contact_type = each.key
  name                   = each.value.name
  title                  = each.value.title
  email_address          = each.value.email_address
  phone_number           = each.value.phone_number
}

# Whoever is in this group can do nothing before they have shown a second factor, but to set one up.
resource "aws_iam_group" "people" {
  name = "people"
}

resource "aws_iam_group_policy" "second_factor" {
  name   = "second-factor"
  group  = aws_iam_group.people.name
  policy = data.aws_iam_policy_document.second_factor.json
}

data "aws_iam_policy_document" "second_factor" {
  statement {
    sid       = "OwnCredentials"
    resources = ["arn:${data.aws_partition.current.partition}:iam::*:user/$${aws:username}"]
    actions = [
      "iam:ChangePassword",
      "iam:EnableMFADevice",
      "iam:GetUser",
      "iam:ListMFADevices",
      "iam:ResyncMFADevice",
    ]
  }

  statement {
    sid       = "OwnDevice"
    actions   = ["iam:CreateVirtualMFADevice"]
    resources = ["arn:${data.aws_partition.current.partition}:iam::*:mfa/*"]
  }

  statement {
    sid       = "WhatEverybodySees"
    actions   = ["iam:GetAccountPasswordPolicy", "iam:ListVirtualMFADevices"]
    resources = ["*"]
  }

  statement {
    sid    = "NothingElseWithoutMfa"
    effect = "Deny"
    not_actions = [
      "iam:ChangePassword",
      "iam:CreateVirtualMFADevice",
      "iam:EnableMFADevice",
      "iam:GetAccountPasswordPolicy",
      "iam:GetUser",
      "iam:ListMFADevices",
      "iam:ListVirtualMFADevices",
      "iam:ResyncMFADevice",
      "sts:GetSessionToken",
    ]
    resources = ["*"]

    condition {
      test     = "BoolIfExists"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["false"]
    }
  }

  # A stolen access key must not enrol the thief's device; a sign-in without a device yet may enrol the first one.
  statement {
    sid       = "KeysEnrolNothing"
    effect    = "Deny"
    actions   = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ResyncMFADevice"]
    resources = ["*"]

    condition {
      test     = "Null"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }
}

resource "aws_iam_role" "administrator" {
  name                 = "administrator"
  description          = "For the hour in which it is needed"
  max_session_duration = 3600
  assume_role_policy   = data.aws_iam_policy_document.administrators.json
}

data "aws_iam_policy_document" "administrators" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "Bool"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }

    condition {
      test     = "NumericLessThan"
      variable = "aws:MultiFactorAuthAge"
      values   = ["3600"]
    }
  }
}

resource "aws_iam_role_policy_attachment" "administrator" {
  role       = aws_iam_role.administrator.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_group" "administrators" {
  name = "administrators"
}

resource "aws_iam_group_policy" "become_administrator" {
  name  = "become-administrator"
  group = aws_iam_group.administrators.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Resource = aws_iam_role.administrator.arn }]
  })
}

resource "aws_iam_user_group_membership" "administrators" {
  for_each = var.administrators

  user   = each.value
  groups = [aws_iam_group.people.name, aws_iam_group.administrators.name]
}

output "administrator_role_arn" {
  description = "The role to assume, with a second factor."
  value       = aws_iam_role.administrator.arn
}
