"""AWS's published service models, compiled on demand: shapes, limits, patterns, enums, error codes and their statuses.

The models are the JSON files that botocore ships; botocore itself is never imported, nothing is read before it is asked
for, and each service is read once per process.
"""

from crownkeep.models.names import lower_camel, snake_case
from crownkeep.models.published import OWN_FOLDER, OWN_SERVICES, PARTLY_SERVED, SERVICES, SPOKEN, compile_service, service
from crownkeep.models.services import ErrorModel, OperationModel, ServiceModel
from crownkeep.models.shapes import Member, Shape

__all__ = [
    "OWN_FOLDER",
    "OWN_SERVICES",
    "PARTLY_SERVED",
    "SERVICES",
    "SPOKEN",
    "ErrorModel",
    "Member",
    "OperationModel",
    "ServiceModel",
    "Shape",
    "compile_service",
    "lower_camel",
    "service",
    "snake_case",
]
