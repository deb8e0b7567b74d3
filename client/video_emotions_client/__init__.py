"""Send videos to a deployment of this service, and get typed Results.

>>> from video_emotions_client import Client
>>> with Client("https://example.execute-api.eu-central-1.amazonaws.com/v1", api_key="...") as client:
...     result = client.analyze("clip.mp4", frame_interval=10)
...     print(result.overall_dominant_emotion)

It needs httpx and Pydantic only: no boto3, no OpenCV and no network of DeepFace.

==============  ===========================================================
``client.py``   `Client`: the routes as methods
``answers.py``  an answer of the service -> a value, or an error
``retries.py``  when a request is sent again, and after how long
``sending.py``  a file on its way, with progress
``parts.py``    a large file on its way in parts
``errors.py``   `ClientError` and its three kinds
==============  ===========================================================
"""

from video_common.answers import JobAnswer
from video_common.result import Result
from video_emotions_client.client import Client
from video_emotions_client.errors import ClientError, NotAllowed, Rejected, Unavailable

__all__ = ["Client", "ClientError", "JobAnswer", "NotAllowed", "Rejected", "Result", "Unavailable"]
