terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
}

variable "accounts" {
  type = list(string)
}

variable "groups" {
  type = number
}

data "aws_ssoadmin_instances" "here" {}

locals {
  instance = tolist(data.aws_ssoadmin_instances.here.arns)[0]
  store    = tolist(data.aws_ssoadmin_instances.here.identity_store_ids)[0]
}

resource "aws_identitystore_user" "ann" {
  identity_store_id = local.store
  user_name         = "ann"
  display_name      = "Ann Lee"
  title             = "Engineer"
  locale            = "en-GB"
  name {
    given_name  = "Ann"
    family_name = "Lee"
  }
  emails {
    value   = "ann@example.com"
    type    = "work"
    primary = true
  }
  phone_numbers {
    value = "+15550100"
    type  = "work"
  }
  addresses {
    country  = "GB"
    locality = "Leeds"
    type     = "work"
  }
}

resource "aws_identitystore_group" "team" {
  count             = var.groups
  identity_store_id = local.store
  display_name      = "team-${count.index}"
  description       = "Team ${count.index}"
}

resource "aws_identitystore_group_membership" "ann" {
  identity_store_id = local.store
  group_id          = aws_identitystore_group.team[0].group_id
  member_id         = aws_identitystore_user.ann.user_id
}

resource "aws_ssoadmin_permission_set" "readers" {
  name             = "Readers"
  description      = "Who reads"
  instance_arn     = local.instance
  relay_state      = "https://s3.console.aws.amazon.com/s3/home"
  session_duration = "PT2H"
  tags             = { Team = "blue" }
}

resource "aws_ssoadmin_managed_policy_attachment" "reading" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.readers.arn
  managed_policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_ssoadmin_permission_set_inline_policy" "own" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.readers.arn
  inline_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:ListBucket"], Resource = "*" }]
  })
}

resource "aws_ssoadmin_permissions_boundary_attachment" "edge" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.readers.arn
  permissions_boundary {
    managed_policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
  }
}

resource "aws_ssoadmin_permission_set" "named" {
  name         = "Named"
  instance_arn = local.instance
}

resource "aws_ssoadmin_customer_managed_policy_attachment" "named" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.named.arn
  customer_managed_policy_reference {
    name = "reading"
    path = "/"
  }
}

resource "aws_ssoadmin_instance_access_control_attributes" "here" {
  instance_arn = local.instance
  attribute {
    key = "team"
    value {
      source = ["$${path:enterprise.costCenter}"]
    }
  }
}

resource "aws_ssoadmin_account_assignment" "ann" {
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.readers.arn
  principal_id       = aws_identitystore_user.ann.user_id
  principal_type     = "USER"
  target_id          = var.accounts[0]
  target_type        = "AWS_ACCOUNT"
}

resource "aws_ssoadmin_account_assignment" "team" {
  for_each = {
    for pair in setproduct(range(var.groups), var.accounts) : "${pair[0]}-${pair[1]}" => pair
  }
  instance_arn       = local.instance
  permission_set_arn = aws_ssoadmin_permission_set.readers.arn
  principal_id       = aws_identitystore_group.team[each.value[0]].group_id
  principal_type     = "GROUP"
  target_id          = each.value[1]
  target_type        = "AWS_ACCOUNT"
}

data "aws_identitystore_user" "ann" {
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "UserName"
      attribute_value = aws_identitystore_user.ann.user_name
    }
  }
}

data "aws_identitystore_group" "team" {
  identity_store_id = local.store
  alternate_identifier {
    unique_attribute {
      attribute_path  = "DisplayName"
      attribute_value = aws_identitystore_group.team[0].display_name
    }
  }
}

data "aws_ssoadmin_permission_set" "readers" {
  instance_arn = local.instance
  name         = aws_ssoadmin_permission_set.readers.name
}

output "found" {
  value = {
    user           = data.aws_identitystore_user.ann.user_id == aws_identitystore_user.ann.user_id
    group          = data.aws_identitystore_group.team.group_id == aws_identitystore_group.team[0].group_id
    permission_set = data.aws_ssoadmin_permission_set.readers.arn == aws_ssoadmin_permission_set.readers.arn
  }
}
